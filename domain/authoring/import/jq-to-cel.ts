import { cannot, type Cursor, cursorOf, member, tokenize } from './tokens.ts';

/** Where the data of a jq expression is in the workflow. */
export type JqScope = {
  /** `.` */
  data: string;
  /** `$name`; null for what is not there. */
  variable: (name: string) => string | null;
};

const SIGNS = [
  '==',
  '!=',
  '<=',
  '>=',
  '<',
  '>',
  '//',
  '+',
  '-',
  '*',
  '/',
  '%',
  '|',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '.',
  ':',
  '?',
];
const BINDING: Readonly<Record<string, number>> = {
  or: 2,
  and: 3,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

/** The part of jq that workflows mostly use, as CEL. @throws MAPPING_INVALID that says what has no CEL */
export function jqToCel(source: string, scope: JqScope): string {
  const cursor = cursorOf(tokenize(source, SIGNS));
  const result = pipe(cursor, scope);
  if (cursor.peek().kind !== 'end') throw cannot(`${cursor.peek().text} is not understood`);
  return result;
}

function pipe(at: Cursor, scope: JqScope): string {
  let value = alternative(at, scope);
  while (at.take('|')) value = alternative(at, { ...scope, data: value });
  return value;
}

/** `a // b`: for names, b where a is absent or null. */
function alternative(at: Cursor, scope: JqScope): string {
  const value = binary(at, scope, 0);
  if (!at.take('//')) return value;
  const other = alternative(at, scope);
  const path = /^(.*)\.(\w+)$/.exec(value);
  if (path === null) throw cannot('// after what is no path has no CEL');
  return `${path[1]}.?${path[2]}.orValue(${other})`;
}

function binary(at: Cursor, scope: JqScope, least: number): string {
  let left = postfix(at, scope);
  for (;;) {
    const { kind, text } = at.peek();
    const binding = kind === 'string' ? undefined : BINDING[text];
    if (binding === undefined || binding <= least) return left;
    at.next();
    const operator = text === 'and' ? '&&' : text === 'or' ? '||' : text;
    left = `(${left} ${operator} ${binary(at, scope, binding)})`;
  }
}

function postfix(at: Cursor, scope: JqScope): string {
  let value = primary(at, scope);
  for (;;) {
    if (at.take('.')) {
      const { kind, text } = at.next();
      if (kind !== 'name' && kind !== 'string') throw cannot(`.${text} is not understood`);
      value = member(value, text);
    } else if (at.take('[')) value = index(at, scope, value);
    else if (!at.take('?')) return value;
  }
}

function index(at: Cursor, scope: JqScope, value: string): string {
  if (at.take(']')) throw cannot('.[] gives several values; use a map');
  const { kind, text } = at.peek();
  if (kind === 'string') {
    at.next();
    at.expect(']');
    return member(value, text);
  }
  const key = pipe(at, scope);
  at.expect(']');
  return `${value}[${key}]`;
}

function primary(at: Cursor, scope: JqScope): string {
  const { kind, text } = at.next();
  if (kind === 'number') return text;
  if (kind === 'string') return interpolated(text, scope);
  switch (text) {
    case '.':
      return dot(at, scope);
    case '(': {
      const inner = pipe(at, scope);
      at.expect(')');
      return `(${inner})`;
    }
    case '-':
      return `-${postfix(at, scope)}`;
    case '[': {
      if (at.take(']')) return '[]';
      const values = [alternative(at, scope)];
      while (at.take(',')) values.push(alternative(at, scope));
      at.expect(']');
      return `[${values.join(', ')}]`;
    }
    case '{':
      return objectLiteral(at, scope);
    default:
      return kind === 'name' ? word(at, scope, text) : fail(text);
  }
}

const fail = (text: string): never => {
  throw cannot(`${text || 'the end'} is not understood`);
};

function dot(at: Cursor, scope: JqScope): string {
  const { kind, text } = at.peek();
  if (kind === 'name' && !['and', 'or', 'then', 'else', 'elif', 'end'].includes(text)) {
    at.next();
    return member(scope.data, text);
  }
  if (kind === 'string') {
    at.next();
    return member(scope.data, text);
  }
  if (at.take('[')) return index(at, scope, scope.data);
  return scope.data;
}

const FUNCTIONS: Readonly<Record<string, (data: string) => string>> = {
  length: (data) => `size(${data})`,
  not: (data) => `!(${data})`,
  tostring: (data) => `string(${data})`,
  tonumber: (data) => `double(${data})`,
  ascii_downcase: (data) => `${data}.lowerAscii()`,
  ascii_upcase: (data) => `${data}.upperAscii()`,
};
const WITH_ARGUMENT: Readonly<Record<string, string>> = {
  startswith: 'startsWith',
  endswith: 'endsWith',
  contains: 'contains',
  split: 'split',
  join: 'join',
};

function word(at: Cursor, scope: JqScope, text: string): string {
  if (text === 'true' || text === 'false' || text === 'null') return text;
  if (text.startsWith('$')) {
    const value = scope.variable(text.slice(1));
    if (value === null) throw cannot(`${text} is not there`);
    return value;
  }
  if (text === 'if') {
    const condition = pipe(at, scope);
    at.expect('then');
    const left = pipe(at, scope);
    at.expect('else');
    const right = pipe(at, scope);
    at.expect('end');
    return `(${condition} ? ${left} : ${right})`;
  }
  const plain = FUNCTIONS[text];
  if (plain) return plain(scope.data);
  const method = WITH_ARGUMENT[text];
  if (method === undefined) throw cannot(`${text} has no CEL`);
  at.expect('(');
  const argument = pipe(at, scope);
  at.expect(')');
  return `${scope.data}.${method}(${argument})`;
}

function objectLiteral(at: Cursor, scope: JqScope): string {
  const fields: string[] = [];
  while (!at.take('}')) {
    if (fields.length > 0) at.expect(',');
    const { kind, text } = at.next();
    if (kind !== 'name' && kind !== 'string') fail(text);
    const shorthand = text.startsWith('$') ? (scope.variable(text.slice(1)) ?? fail(text)) : member(scope.data, text);
    const value = at.take(':') ? alternative(at, scope) : shorthand;
    fields.push(`${JSON.stringify(text.replace(/^\$/, ''))}: ${value}`);
  }
  return `{${fields.join(', ')}}`;
}

/** `"Hello \(.name)"`; what is in the parentheses has none of its own. */
function interpolated(text: string, scope: JqScope): string {
  if (!text.includes('\\(')) return JSON.stringify(text);
  const parts = text.split(/\\\(([^()]*)\)/);
  const printed = parts.map((part, position) =>
    position % 2 === 0 ? JSON.stringify(part) : `string(${jqToCel(part, scope)})`,
  );
  return `(${printed.filter((part) => part !== '""').join(' + ')})`;
}
