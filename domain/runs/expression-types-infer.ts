import type { ASTNode } from '@marcbachmann/cel-js';
import { COMPREHENSIONS } from './expression-ast.ts';
import {
  BOOL,
  describeType,
  DYN,
  elementOf,
  fieldNames,
  fieldOf,
  isNeverOf,
  listOf,
  membersOf,
  NULL,
  NUMBER,
  objectOf,
  STRING,
  type TypeKind,
  unionOf,
  type ValueType,
} from './expression-types.ts';
import { didYouMean } from './problem-list.ts';

export type TypeFault = { message: string; offset: number; hint: string | null; unknownField: boolean };
/** What names stand for at a place in a definition. */
export type TypeScope = {
  readonly variable: (name: string) => ValueType | undefined;
  /** `nodes.<id>`, undefined for one that is not there. */
  readonly node: (id: string) => ValueType | undefined;
};
type Inference = TypeScope & { readonly fault: (fault: TypeFault) => void };

/** The type that an expression gives. Only what can never work is a fault: everything else the run may decide. */
export function inferType(node: ASTNode, at: Inference): ValueType {
  switch (node.op) {
    case 'value':
      return literalType(node.args);
    case 'id':
      return at.variable(node.args) ?? DYN;
    case '.':
    case '.?':
      return select(node, node.args[0], node.args[1], node.op === '.?', at);
    case '[]':
    case '[?]':
      return index(node, node.args[0], node.args[1], node.op === '[?]', at);
    case 'list':
      return listOf(unionOf(node.args.map((one) => plain(inferType(one, at)))));
    case 'map':
      return mapType(node.args, at);
    case '?:': {
      const [condition, left, right] = node.args;
      expectKind(condition, ['bool'], 'a condition is a bool', at);
      return unionOf([inferType(left, at), inferType(right, at)]);
    }
    case '||':
    case '&&':
      for (const operand of node.args) expectKind(operand, ['bool'], `${node.op} joins bools`, at);
      return BOOL;
    case '!_':
      expectKind(node.args, ['bool'], '! negates a bool', at);
      return BOOL;
    case '-_':
      expectKind(node.args, ['number', 'duration'], '- negates a number', at);
      return NUMBER;
    case 'call':
      return call(node.args[0], node.args[1], at);
    case 'rcall':
      return method(node, node.args[0], node.args[1], node.args[2], at);
    default:
      return binary(node, node.op, node.args[0], node.args[1], at);
  }
}

function literalType(value: unknown): ValueType {
  if (value === null) return NULL;
  if (typeof value === 'string') return STRING;
  if (typeof value === 'boolean') return BOOL;
  return value instanceof Uint8Array ? DYN : NUMBER;
}

/** An optional that becomes part of a value is its content or null. */
const plain = (type: ValueType): ValueType => (type.kind === 'optional' ? unionOf([type.of, NULL]) : type);
const optional = (type: ValueType): ValueType => (type.kind === 'optional' ? type : { kind: 'optional', of: type });

function select(node: ASTNode, target: ASTNode, name: string, isOptional: boolean, at: Inference): ValueType {
  const type = selectField(node, target, name, at);
  return isOptional ? optional(type) : type;
}

function selectField(node: ASTNode, target: ASTNode, name: string, at: Inference): ValueType {
  if (target.op === 'id' && target.args === 'nodes') return at.node(name) ?? DYN;
  const type = inferType(target, at);
  const field = fieldOf(type, name);
  if (field !== null) return field;
  const names = fieldNames(type);
  const what = target.input.slice(target.range.start, target.range.end);
  const has = names.length === 0 ? `is ${withArticle(type)} and has no fields` : `has no field ${name}`;
  at.fault({
    message: `${what} ${has}`,
    offset: Math.max(node.range.start, node.range.end - name.length),
    hint: names.length === 0 ? null : didYouMean(name, names),
    unknownField: true,
  });
  return DYN;
}

function withArticle(type: ValueType): string {
  const text = describeType(type.kind === 'union' ? unionOf(membersOf(type)) : type);
  return text === 'null' || text.startsWith('{') ? text : `${/^[aeiou]/.test(text) ? 'an' : 'a'} ${text}`;
}

function index(node: ASTNode, target: ASTNode, key: ASTNode, isOptional: boolean, at: Inference): ValueType {
  if (key.op === 'value' && typeof key.args === 'string') {
    if (target.op === 'id' && target.args === 'nodes') return at.node(key.args) ?? DYN;
    const type = inferType(target, at);
    if (membersOf(type).some((member) => member.kind === 'object' && member.rest !== null)) {
      const field = fieldOf(type, key.args) ?? DYN;
      return isOptional ? optional(field) : field;
    }
    return select(node, target, key.args, isOptional, at);
  }
  inferType(key, at);
  const type = inferType(target, at);
  if (isNeverOf(type, ['list', 'object', 'optional'])) {
    at.fault(notOf(target, type, 'only lists and objects can be indexed'));
  }
  const found = membersOf(type).every((member) => member.kind === 'list') ? elementOf(type) : DYN;
  return isOptional ? optional(found) : found;
}

function mapType(entries: readonly (readonly [ASTNode, ASTNode])[], at: Inference): ValueType {
  const types = entries.map(([key, value]) => {
    const type = plain(inferType(value, at));
    return key.op === 'value' && typeof key.args === 'string' ? ([key.args, type] as const) : null;
  });
  return types.includes(null) ? DYN : objectOf(Object.fromEntries(types as (readonly [string, ValueType])[]));
}

function notOf(node: ASTNode, type: ValueType, rule: string): TypeFault {
  const what = node.input.slice(node.range.start, node.range.end);
  return {
    message: `${what} is ${withArticle(type)}: ${rule}`,
    offset: node.range.start,
    hint: null,
    unknownField: false,
  };
}

function expectKind(node: ASTNode, kinds: readonly TypeKind[], rule: string, at: Inference): ValueType {
  const type = inferType(node, at);
  if (isNeverOf(type, kinds)) at.fault(notOf(node, type, rule));
  return type;
}

const ORDERED: readonly TypeKind[] = ['number', 'string', 'bool', 'timestamp', 'duration'];
const TIMES: readonly TypeKind[] = ['timestamp', 'duration'];

function binary(node: ASTNode, operator: string, left: ASTNode, right: ASTNode, at: Inference): ValueType {
  switch (operator) {
    case '==':
    case '!=':
      inferType(left, at);
      inferType(right, at);
      return BOOL;
    case 'in':
      inferType(left, at);
      expectKind(right, ['list', 'object'], 'in asks a list or an object', at);
      return BOOL;
    case '<':
    case '<=':
    case '>':
    case '>=':
      same(node, [left, right], ORDERED, 'cannot be compared', at);
      return BOOL;
    case '+':
      return same(node, [left, right], ['number', 'string', 'list', ...TIMES], 'cannot be added', at);
    default:
      return same(node, [left, right], ['number', ...TIMES], `do not go with ${operator}`, at);
  }
}

/** Both operands are of one of the kinds, and of the same, but for times, which mix. */
function same(
  node: ASTNode,
  operands: readonly [ASTNode, ASTNode],
  kinds: readonly TypeKind[],
  rule: string,
  at: Inference,
): ValueType {
  const types = operands.map((operand) => inferType(operand, at)) as [ValueType, ValueType];
  const possible = kinds.filter((kind) => types.every((type) => !isNeverOf(type, [kind])));
  const times = types.every((type) => !isNeverOf(type, TIMES)) && kinds.includes('timestamp');
  if (possible.length === 0 && !times) {
    const hint =
      kinds.includes('string') && types.some((type) => !isNeverOf(type, ['string'])) ? 'string(x) makes a text.' : null;
    const message = `${withArticle(types[0])} and ${withArticle(types[1])} ${rule}`;
    at.fault({ message, offset: node.range.start, hint, unknownField: false });
  }
  if (types.some((type) => type.kind === 'dyn') || possible.length !== 1) return DYN;
  if (possible[0] === 'list') return listOf(unionOf(types.map(elementOf)));
  return possible[0] === 'number' ? NUMBER : possible[0] === 'string' ? STRING : DYN;
}

const CONVERSIONS: Readonly<Record<string, ValueType>> = {
  string: STRING,
  int: NUMBER,
  uint: NUMBER,
  double: NUMBER,
  bool: BOOL,
  timestamp: { kind: 'timestamp' },
  duration: { kind: 'duration' },
};
const SIZED: readonly TypeKind[] = ['string', 'list', 'object'];

function call(name: string, args: readonly ASTNode[], at: Inference): ValueType {
  const [first] = args;
  if (name === 'size' && first) {
    expectKind(first, SIZED, 'only texts, lists and objects have a size', at);
    return NUMBER;
  }
  for (const argument of args) inferType(argument, at);
  if (name === 'has') return BOOL;
  return CONVERSIONS[name] ?? DYN;
}

/** Receiver and result of methods. */
const METHODS: Readonly<Record<string, readonly [readonly TypeKind[], ValueType]>> = {
  ...Object.fromEntries(['startsWith', 'endsWith', 'contains'].map((name) => [name, [['string'], BOOL]])),
  ...Object.fromEntries(['lowerAscii', 'upperAscii', 'trim', 'substring'].map((name) => [name, [['string'], STRING]])),
  indexOf: [['string'], NUMBER],
  lastIndexOf: [['string'], NUMBER],
  split: [['string'], listOf(STRING)],
  join: [['list'], STRING],
  size: [SIZED, NUMBER],
  ...Object.fromEntries(
    [
      ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek'],
      ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
    ].map((name) => [name, [TIMES, NUMBER]]),
  ),
};

function method(node: ASTNode, name: string, receiver: ASTNode, args: readonly ASTNode[], at: Inference): ValueType {
  if (COMPREHENSIONS.has(name) && args.length > 1) return comprehension(name, receiver, args, at);
  const type = inferType(receiver, at);
  for (const argument of args) inferType(argument, at);
  if (type.kind === 'optional') {
    if (name === 'orValue')
      return unionOf([type.of, args[0] ? inferType(args[0], { ...at, fault: () => undefined }) : DYN]);
    if (name === 'value') return type.of;
    return name === 'hasValue' ? BOOL : DYN;
  }
  const row = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (row === undefined) return DYN;
  if (isNeverOf(type, row[0])) {
    const hint = row[0] === TIMES ? 'timestamp(x) makes a time of a text.' : null;
    at.fault({ ...notOf(receiver, type, `${name}() is for ${row[0].join(' or ')}`), hint });
  }
  return row[1];
}

function comprehension(name: string, receiver: ASTNode, args: readonly ASTNode[], at: Inference): ValueType {
  const range = expectKind(receiver, ['list', 'object', 'optional'], `${name}() goes over a list or an object`, at);
  const [variable] = args;
  const bound = variable?.op === 'id' ? variable.args : null;
  const element = elementOf(range);
  const inner = { ...at, variable: (id: string) => (id === bound ? element : at.variable(id)) };
  const bodies = args.slice(1).map((body) => inferType(body, inner));
  if (name === 'map') return listOf(plain(bodies.at(-1) ?? DYN));
  return name === 'filter' ? listOf(element) : BOOL;
}
