import { isJsonObject, type Json } from '../json.ts';
import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { COMPREHENSIONS } from './expression-ast.ts';
import {
  describeType,
  elementOf,
  fieldNames,
  fieldOf,
  isNeverOf,
  membersOf,
  type ValueType,
} from './expression-types.ts';
import { scopeOf } from './expression-types-check.ts';
import { type ExpressionText, expressionsOf, mappingTexts } from './expression-types-fields.ts';
import type { TypeScope } from './expression-types-infer.ts';
import { typeOfExpression, typesOf } from './expression-types-scope.ts';
import { KNOWN_HELPERS } from './template.ts';

export type Completion = {
  label: string;
  kind: 'variable' | 'node' | 'field' | 'function' | 'method' | 'helper';
  /** Its type or signature, as people read it. */
  detail: string;
  /** What replaces the text from `from` to where the cursor is. */
  insert: string;
  from: number;
};

const FUNCTIONS: Readonly<Record<string, string>> = {
  size: 'size(text, list or object): number',
  has: 'has(path): bool',
  string: 'string(value): string',
  int: 'int(value): number',
  double: 'double(value): number',
  timestamp: 'timestamp(RFC 3339 text): timestamp',
  duration: 'duration("1h30m"): duration',
  type: 'type(value): type',
};
const LIST_METHODS: Readonly<Record<string, string>> = {
  map: 'map(x, expression): list',
  filter: 'filter(x, condition): list',
  all: 'all(x, condition): bool',
  exists: 'exists(x, condition): bool',
  exists_one: 'exists_one(x, condition): bool',
  join: 'join(separator): string',
};
const TEXT_METHODS: Readonly<Record<string, string>> = {
  contains: 'contains(text): bool',
  startsWith: 'startsWith(text): bool',
  endsWith: 'endsWith(text): bool',
  lowerAscii: 'lowerAscii(): string',
  upperAscii: 'upperAscii(): string',
  trim: 'trim(): string',
  split: 'split(separator): list of string',
  substring: 'substring(from, to): string',
  indexOf: 'indexOf(text): number',
};

/**
 * What may be written at a place of an expression or template: `field` is a JSON Pointer inside of the node (`/config/value/total`),
 * or inside of the definition for its output (node null, `/output/total`); `offset` counts characters of the text.
 */
export function completionsAt(
  definition: WorkflowDefinition,
  nodeId: string | null,
  field: string,
  offset: number,
): Completion[] {
  const node = definition.nodes.find((one) => one.id === nodeId) ?? null;
  const texts = node === null ? mappingTexts(definition.output, ['output'], 'node') : expressionsOf(node);
  const found = texts.find(({ path }) => `/${path.join('/')}` === field);
  if (found === undefined) return [];
  const types = typesOf(definition);
  const scope = node === null ? types.scopeOf(null) : scopeOf(found, node, types);
  const own = definition.nodes.filter((one) => isOwn(one, node, found.scope)).map(({ id }) => id);
  const readable = [...readableNodes(definition, node), ...own];
  const before = found.text.slice(0, Math.max(0, offset));
  if (found.kind === 'expression') return inExpression(before, before.length, scope, readable);
  return inTemplate(found, before, node, scope, readable);
}

/** What a container's result may read is in its body; an undo may read what it undoes. */
function isOwn(one: NodeDefinition, node: NodeDefinition | null, scope: ExpressionText['scope']): boolean {
  if (node === null || scope === 'node') return false;
  return scope === 'undo' ? one.id === node.id : one.parent === node.id;
}

/** Nodes that are settled before this one; all of the root for the output. */
function readableNodes(definition: WorkflowDefinition, node: NodeDefinition | null): string[] {
  const byId = new Map(definition.nodes.map((one) => [one.id, one]));
  if (node === null)
    return definition.nodes.filter((one) => one.parent === undefined && one.type !== 'note').map(({ id }) => id);
  const found = new Set<string>();
  const open = [node.id];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const parent = byId.get(id)?.parent;
    const before = definition.edges.filter((edge) => edge.to === id).map(({ from }) => from);
    for (const source of before) {
      if (found.has(source)) continue;
      found.add(source);
      open.push(source);
    }
    // What a container may read, its body may read too; the container itself is under way.
    if (parent !== undefined && !open.includes(parent)) open.push(parent);
  }
  return definition.nodes.filter(({ id }) => found.has(id)).map(({ id }) => id);
}

const PATH = /((?:[A-Za-z_]\w*|\)|\])(?:\.\??[A-Za-z_]\w*|\[(?:\d+|"[^"]*")\])*)\.\??(\w*)$/;
const WORD = /(\w*)$/;

function inExpression(before: string, cursor: number, scope: TypeScope, readable: readonly string[]): Completion[] {
  if (isInText(before)) return [];
  const inner = withBound(before, scope);
  const match = PATH.exec(before);
  if (match === null) {
    const [, typed = ''] = WORD.exec(before) ?? [];
    return names(typed, cursor - typed.length, inner, readable);
  }
  const [whole, path = '', typed = ''] = match;
  const from = cursor - typed.length;
  const target = receiverOf(before.slice(0, before.length - whole.length), path);
  if (target === 'nodes')
    return readable.filter((id) => id.startsWith(typed)).map((id) => nodeCompletion(id, from, scope));
  const type = typeOfExpression(target, inner.scope, () => undefined);
  return [...fieldsOf(type, typed, from), ...methodsOf(type, typed, from)];
}

/** Inside of quotes nothing is completed. */
const isInText = (before: string): boolean => (before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;

/** The call or index that a path goes on from, such as `input.list.filter(x, x.ok)[0]`. */
function receiverOf(head: string, path: string): string {
  if (!/^[)\]]/.test(path)) return path;
  const text = `${head}${path}`;
  const end = head.length + 1;
  let depth = 0;
  for (let at = end - 1; at >= 0; at -= 1) {
    if (')]'.includes(text[at] as string)) depth += 1;
    if ('(['.includes(text[at] as string)) depth -= 1;
    if (depth > 0) continue;
    const start = /[\w.?]*$/.exec(text.slice(0, at))?.index ?? at;
    if (!/[)\]]$/.test(text.slice(0, start))) return text.slice(start);
    at = start;
  }
  return path;
}

type Bound = { scope: TypeScope; bound: readonly [string, ValueType][] };

/** Variables of the comprehensions that are open at the cursor. */
function withBound(before: string, scope: TypeScope): Bound {
  const bound: [string, ValueType][] = [];
  let inner = scope;
  for (const match of before.matchAll(/([\w.[\]"]+)\.(\w+)\(\s*([A-Za-z_]\w*)\s*,/g)) {
    const [whole, range = '', macro = '', name = ''] = match;
    if (!COMPREHENSIONS.has(macro) || isClosed(before.slice(match.index + whole.length))) continue;
    const element = elementOf(typeOfExpression(range, inner, () => undefined));
    bound.push([name, element]);
    const outer = inner;
    inner = { ...outer, variable: (id) => (id === name ? element : outer.variable(id)) };
  }
  return { scope: inner, bound };
}

/** Whether the parenthesis that was open before is closed in the rest. */
function isClosed(rest: string): boolean {
  let depth = 1;
  for (const character of rest) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 0) return true;
  }
  return false;
}

const ROOTS = ['input', 'vars', 'run', 'item', 'index', 'pass'];

function names(typed: string, from: number, { scope, bound }: Bound, readable: readonly string[]): Completion[] {
  const known = ROOTS.flatMap((name) => {
    const type = scope.variable(name);
    return type === undefined ? [] : [[name, type] as const];
  });
  const variables = [...bound, ...known].map(([label, type]) => entry(label, 'variable', describeType(type), from));
  const nodes = readable.length > 0 ? [entry('nodes', 'variable', readable.join(', '), from)] : [];
  const functions = Object.entries(FUNCTIONS).map(([label, detail]) => ({
    ...entry(label, 'function', detail, from),
    insert: `${label}(`,
  }));
  return [...variables, ...nodes, ...functions].filter(({ label }) => label.startsWith(typed));
}

const entry = (label: string, kind: Completion['kind'], detail: string, from: number): Completion => ({
  label,
  kind,
  detail,
  insert: label,
  from,
});

function nodeCompletion(id: string, from: number, scope: TypeScope): Completion {
  const output = fieldOf(scope.node(id) ?? { kind: 'dyn' }, 'output') ?? { kind: 'dyn' };
  return entry(id, 'node', describeType(output), from);
}

function fieldsOf(type: ValueType, typed: string, from: number): Completion[] {
  return fieldNames(type)
    .filter((name) => name.startsWith(typed))
    .map((name) => {
      const detail = describeType(fieldOf(type, name) ?? { kind: 'dyn' });
      // A name that CEL cannot follow by a dot replaces the dot too.
      if (/^[A-Za-z_]\w*$/.test(name)) return entry(name, 'field', detail, from);
      return { label: name, kind: 'field', detail, insert: `[${JSON.stringify(name)}]`, from: from - 1 };
    });
}

function methodsOf(type: ValueType, typed: string, from: number): Completion[] {
  const known = membersOf(type).every((member) => member.kind !== 'dyn');
  const lists = isNeverOf(type, ['list', 'object']) ? {} : LIST_METHODS;
  const texts = isNeverOf(type, ['string']) ? {} : TEXT_METHODS;
  const optional =
    known && !isNeverOf(type, ['optional']) ? { orValue: 'orValue(other)', hasValue: 'hasValue(): bool' } : {};
  return Object.entries({ ...optional, ...lists, ...texts })
    .filter(([label]) => label.startsWith(typed))
    .map(([label, detail]) => ({ ...entry(label, 'method', detail, from), insert: `${label}(` }));
}

function inTemplate(
  found: ExpressionText,
  before: string,
  node: NodeDefinition | null,
  scope: TypeScope,
  readable: readonly string[],
): Completion[] {
  const open = before.lastIndexOf('{{');
  if (open < 0 || before.indexOf('}}', open) >= 0) return [];
  const [, path = '', typed = ''] = /(?:^|[\s({#])((?:[A-Za-z_]\w*\.)*)(\w*)$/.exec(before.slice(open + 2)) ?? [];
  const from = before.length - typed.length;
  const target = path.replace(/\.$/, '');
  if (found.kind === 'prompt') return inPrompt(node?.config?.['values'], target, typed, from, scope);
  if (target === 'nodes')
    return readable.filter((id) => id.startsWith(typed)).map((id) => nodeCompletion(id, from, scope));
  if (target !== '')
    return fieldsOf(
      typeOfExpression(target, scope, () => undefined),
      typed,
      from,
    );
  return [
    ...names(typed, from, { scope, bound: [] }, readable).filter(({ kind }) => kind === 'variable'),
    ...helpers(typed, from),
  ];
}

function inPrompt(
  values: Json | undefined,
  target: string,
  typed: string,
  from: number,
  scope: TypeScope,
): Completion[] {
  if (!isJsonObject(values)) return helpers(typed, from);
  const typeOf = (value: Json | undefined): ValueType =>
    typeof value === 'string' ? typeOfExpression(value, scope, () => undefined) : { kind: 'dyn' };
  if (target !== '') {
    const [first = '', ...rest] = target.split('.');
    const type = rest.reduce<ValueType>(
      (outer, name) => fieldOf(outer, name) ?? { kind: 'dyn' },
      typeOf(values[first]),
    );
    return fieldsOf(type, typed, from);
  }
  const own = Object.entries(values).map(([name, value]) => entry(name, 'variable', describeType(typeOf(value)), from));
  return [...own.filter(({ label }) => label.startsWith(typed)), ...helpers(typed, from)];
}

const helpers = (typed: string, from: number): Completion[] =>
  [...KNOWN_HELPERS]
    .filter((name) => name.startsWith(typed))
    .map((name) => entry(name, 'helper', `{{${name} ...}}`, from));
