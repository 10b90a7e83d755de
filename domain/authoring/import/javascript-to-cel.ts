import { cannot, type Cursor, cursorOf, member, tokenize } from './tokens.ts';

/** Where the data of n8n's expressions is in the workflow. */
export type JavascriptScope = {
  /** `$json`. */
  data: string;
  /** `$node["name"].json`, `$('name').item.json`; null for nodes that are not there. */
  nodeData: (name: string) => string | null;
};

const SIGNS = [
  ...['===', '!==', '==', '!=', '<=', '>=', '<', '>', '&&', '||', '??', '?.', '+', '-', '*', '/', '%', '!'],
  ...['(', ')', '[', ']', '{', '}', ',', '.', '?', ':'],
];
const BINDING: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '===': 3,
  '!=': 3,
  '!==': 3,
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

/** The part of JavaScript that n8n's expressions mostly are, as CEL. @throws MAPPING_INVALID that says what has no CEL */
export function javascriptToCel(source: string, scope: JavascriptScope): string {
  const cursor = cursorOf(tokenize(source, SIGNS));
  const result = ternary(cursor, scope);
  if (cursor.peek().kind !== 'end') throw cannot(`${cursor.peek().text} is not understood`);
  return result;
}

function ternary(at: Cursor, scope: JavascriptScope): string {
  const condition = binary(at, scope, 0);
  if (!at.take('?')) return condition;
  const left = ternary(at, scope);
  at.expect(':');
  return `(${condition} ? ${left} : ${ternary(at, scope)})`;
}

function binary(at: Cursor, scope: JavascriptScope, least: number): string {
  let left = unary(at, scope);
  for (;;) {
    const { kind, text } = at.peek();
    if (kind === 'sign' && text === '??') throw cannot('?? has no CEL; use orValue()');
    const binding = kind === 'sign' ? BINDING[text] : undefined;
    if (binding === undefined || binding <= least) return left;
    at.next();
    const right = binary(at, scope, binding);
    left = `(${left} ${text.replace('===', '==').replace('!==', '!=')} ${right})`;
  }
}

function unary(at: Cursor, scope: JavascriptScope): string {
  if (at.take('!')) return `!${unary(at, scope)}`;
  if (at.take('-')) return `-${unary(at, scope)}`;
  return postfix(at, scope, primary(at, scope));
}

function primary(at: Cursor, scope: JavascriptScope): string {
  const { kind, text } = at.next();
  if (kind === 'number') return text;
  if (kind === 'string') return JSON.stringify(text);
  if (text === '(') {
    const inner = ternary(at, scope);
    at.expect(')');
    return `(${inner})`;
  }
  if (text === '[') return `[${list(at, scope, ']').join(', ')}]`;
  if (text === '{') return objectLiteral(at, scope);
  if (kind === 'name') return name(at, scope, text);
  throw cannot(`${text || 'the end'} is not understood`);
}

function name(at: Cursor, scope: JavascriptScope, text: string): string {
  switch (text) {
    case 'true':
    case 'false':
    case 'null':
      return text;
    case 'undefined':
      return 'null';
    case '$json':
      return scope.data;
    case '$input':
      itemOf(at);
      return scope.data;
    case '$node': {
      at.expect('[');
      const { text: node } = at.next();
      at.expect(']');
      at.expect('.');
      at.expect('json');
      return dataOf(scope, node);
    }
    case '$': {
      at.expect('(');
      const { text: node } = at.next();
      at.expect(')');
      itemOf(at);
      return dataOf(scope, node);
    }
    case 'String':
    case 'Number': {
      at.expect('(');
      const [value] = list(at, scope, ')');
      return `${text === 'String' ? 'string' : 'double'}(${value ?? 'null'})`;
    }
    default:
      throw cannot(`${text} has no CEL`);
  }
}

/** `.item.json`, `.first().json`, `.last().json`: there is one item. */
function itemOf(at: Cursor): void {
  at.expect('.');
  const { text } = at.next();
  if (!['item', 'first', 'last'].includes(text)) throw cannot(`.${text} has no CEL`);
  if (at.take('(')) at.expect(')');
  at.expect('.');
  at.expect('json');
}

function dataOf(scope: JavascriptScope, node: string): string {
  const data = scope.nodeData(node);
  if (data === null) throw cannot(`there is no node ${node} before it`);
  return data;
}

function list(at: Cursor, scope: JavascriptScope, end: string): string[] {
  const values: string[] = [];
  while (!at.take(end)) {
    if (values.length > 0) at.expect(',');
    values.push(ternary(at, scope));
  }
  return values;
}

function objectLiteral(at: Cursor, scope: JavascriptScope): string {
  const fields: string[] = [];
  while (!at.take('}')) {
    if (fields.length > 0) at.expect(',');
    const { text } = at.next();
    at.expect(':');
    fields.push(`${JSON.stringify(text)}: ${ternary(at, scope)}`);
  }
  return `{${fields.join(', ')}}`;
}

const METHODS: Readonly<Record<string, string>> = {
  toLowerCase: 'lowerAscii',
  toUpperCase: 'upperAscii',
  trim: 'trim',
  startsWith: 'startsWith',
  endsWith: 'endsWith',
  split: 'split',
  join: 'join',
  indexOf: 'indexOf',
  substring: 'substring',
};

function postfix(at: Cursor, scope: JavascriptScope, start: string): string {
  let value = start;
  for (;;) {
    if (at.take('[')) {
      const { kind, text } = at.peek();
      const key = ternary(at, scope);
      at.expect(']');
      value = kind === 'string' && key === JSON.stringify(text) ? member(value, text) : `${value}[${key}]`;
    } else if (at.take('.') || at.take('?.')) {
      const { kind, text } = at.next();
      if (kind !== 'name') throw cannot(`.${text} is not understood`);
      value = at.take('(')
        ? method(value, text, list(at, scope, ')'))
        : text === 'length'
          ? `size(${value})`
          : member(value, text);
    } else return value;
  }
}

function method(target: string, name: string, args: readonly string[]): string {
  if (name === 'toString') return `string(${target})`;
  if (name === 'includes') return `${target}.contains(${args.join(', ')})`;
  const known = METHODS[name];
  if (known === undefined) throw cannot(`${name}() has no CEL`);
  return `${target}.${known}(${args.join(', ')})`;
}
