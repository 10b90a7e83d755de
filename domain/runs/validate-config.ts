import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { checkTemplate } from './check-template.ts';
import type { JsonSchema, NodeDefinition, RetryPolicy } from './definition.ts';
import { checkExpression } from './check-expression.ts';
import { LIMITS } from './limits.ts';
import { type ConfigField, isNodeType, NODE_TYPES, type NodeTypeRow, nodeTypeRow } from './node-types.ts';
import { didYouMean, type Report } from './problem-list.ts';
import { schemaProblem } from './schema-problem.ts';
import type { Graph } from './validate-graph.ts';
import type { ReadableDefinition } from './validate-shape.ts';

type Path = readonly (string | number)[];
const NODE_VIEW = ['output', 'status', 'port', 'error'];

/**
 * Where an expression stands: which nodes are settled before it is read (null ids mean that the graph is unsound), and which of
 * `item`, `index`, `pass` exist there.
 */
type Scope = {
  nodeId: string | null;
  ids: ReadonlySet<string>;
  before: ReadonlySet<string> | null;
  locals: ReadonlySet<string>;
  variables: JsonObject;
  report: Report;
};

export function validateConfigs(definition: ReadableDefinition, graph: Graph, report: Report): void {
  const { ids, variables } = definition;
  const types = new Map(definition.nodes.map(({ value }) => [value.id, value.type]));
  for (const { value: node, index } of definition.nodes) {
    if (!isNodeType(node.type)) continue;
    const before = graph.ancestors ? (graph.ancestors.get(node.id) ?? new Set<string>()) : null;
    const path = ['nodes', index];
    const locals = localsAround(node.id, graph, types);
    const scope = { nodeId: node.id, ids, before, locals, variables, report };
    const row = nodeTypeRow(node.type);
    const inside = insideScope(node, graph, scope);
    validateConfig(node, row, [...path, 'config'], scope, inside);
    validateIntervals({ ...row.retry, ...node.retry }, [...path, 'retry'], scope);
    if (row.class !== 'activity') validateNoActivityFields(node, path, scope);
    validateReuse(node, row, path, scope);
    validatePolicies(node, path, scope);
    validateSet(node, path, scope);
  }
  if (definition.output !== undefined) {
    const roots = new Set([...ids].filter((id) => (graph.parents.get(id) ?? null) === null));
    const before = graph.ancestors === null ? null : roots;
    const scope = { nodeId: null, ids, before, locals: NOTHING, variables, report };
    validateMapping(definition.output, ['output'], scope);
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** `item` and `index` in the body of a map, `pass` in that of a loop, however deep. */
function localsAround(id: string, { parents }: Graph, types: ReadonlyMap<string, string>): ReadonlySet<string> {
  const locals = new Set<string>();
  for (let around = parents.get(id) ?? null; around !== null; around = parents.get(around) ?? null) {
    for (const name of LOCALS[types.get(around) ?? ''] ?? []) locals.add(name);
  }
  return locals;
}

const LOCALS: { readonly [type: string]: readonly string[] } = { map: ['item', 'index'], loop: ['pass'] };

/** For what a container evaluates when a pass of its body has ended: it may read the nodes of the body. */
function insideScope(node: NodeDefinition, { ancestors, parents }: Graph, scope: Scope): Scope {
  const body = [...parents].flatMap(([id, parent]) => (parent === node.id ? [id] : []));
  const before = ancestors && scope.before ? scope.before.union(new Set(body)) : null;
  return { ...scope, before, locals: scope.locals.union(new Set(LOCALS[node.type] ?? [])) };
}

function validatePolicies(node: NodeDefinition, path: Path, scope: Scope): void {
  if (node.fallback !== undefined) {
    validateMapping(node.fallback, [...path, 'fallback'], scope);
    if (node.onError !== 'continue') {
      const hint = 'Set onError to "continue", or remove fallback.';
      scope.report('CONFIG_UNKNOWN', [...path, 'fallback'], node.id, 'fallback would have no effect', hint);
    }
  }
  const { undo } = node;
  if (undo === undefined) return;
  if (!isNodeType(undo.type) || nodeTypeRow(undo.type).class !== 'activity') {
    const message = `undo must be of an activity type, not ${JSON.stringify(undo.type)}`;
    const hint = `Activity types are ${ACTIVITY_TYPES.join(', ')}.`;
    return scope.report('NODE_TYPE_UNKNOWN', [...path, 'undo', 'type'], node.id, message, hint);
  }
  const row = nodeTypeRow(undo.type);
  const before = scope.before?.union(new Set([node.id])) ?? null;
  const own = { ...scope, before };
  validateConfig({ ...undo, id: node.id }, row, [...path, 'undo', 'config'], own, own);
  validateIntervals({ ...row.retry, ...undo.retry }, [...path, 'undo', 'retry'], scope);
}

const ACTIVITY_TYPES = Object.entries<NodeTypeRow>(NODE_TYPES).flatMap(([type, row]) =>
  row.class === 'activity' ? [type] : [],
);

function validateSet(node: NodeDefinition, path: Path, scope: Scope): void {
  const values = node.type === 'set' ? node.config?.['values'] : undefined;
  for (const name of isJsonObject(values) ? Object.keys(values) : []) {
    if (!Object.hasOwn(scope.variables, name)) unknownVariable(name, '', [...path, 'config', 'values', name], scope);
  }
}

function unknownVariable(name: string, place: string, path: Path, scope: Scope): void {
  const hint = () => `${didYouMean(name, Object.keys(scope.variables))} Declare it under "variables".`.trim();
  scope.report('VARIABLE_UNKNOWN', path, scope.nodeId, `There is no variable ${name}${place}`, hint);
}

/** Said rather than ignored: whoever writes a retry counts on it. */
function validateNoActivityFields(node: NodeDefinition, path: Path, scope: Scope): void {
  for (const name of ['retry', 'timeouts', 'taskQueue', 'fuse'] as const) {
    if (node[name] === undefined) continue;
    const message = `${node.type} runs inside the workflow, so ${name} would have no effect`;
    scope.report('CONFIG_UNKNOWN', [...path, name], node.id, message, 'Remove it; only activity nodes have one.');
  }
}

/** An inline node is computed again anyway, and a container lets the nodes in it decide. */
function validateReuse({ id, type, reuse }: NodeDefinition, row: NodeTypeRow, path: Path, scope: Scope): void {
  if (reuse === undefined || row.class === 'activity' || row.class === 'child' || row.class === 'wait') return;
  const message = `${type} has no result of its own to take over, so reuse would have no effect`;
  scope.report('CONFIG_UNKNOWN', [...path, 'reuse'], id, message, 'Remove it; set it on nodes that call or wait.');
}

/** Temporal refuses the activity otherwise; the type's own policy counts where the node sets none. */
function validateIntervals({ initialIntervalMs, maximumIntervalMs }: RetryPolicy, path: Path, scope: Scope): void {
  if (initialIntervalMs === undefined || maximumIntervalMs === undefined || initialIntervalMs <= maximumIntervalMs)
    return;
  const message = `initialIntervalMs (${initialIntervalMs}) must not exceed maximumIntervalMs (${maximumIntervalMs})`;
  scope.report('LIMIT_EXCEEDED', path, scope.nodeId, message, 'Set both, the maximum at least as long as the initial.');
}

/** `inside` is for the fields that are evaluated in the body. */
function validateConfig(
  node: Pick<NodeDefinition, 'id' | 'type' | 'config'>,
  row: NodeTypeRow,
  path: Path,
  scope: Scope,
  inside: Scope,
): void {
  const fields = row.config;
  const config = node.config ?? {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.required && !Object.hasOwn(config, name)) {
      const message = `${node.type} needs config.${name}: ${field.meaning}`;
      scope.report(
        'CONFIG_MISSING',
        [...path, name],
        node.id,
        message,
        `Add ${JSON.stringify(name)} to the node's config.`,
      );
    }
  }
  for (const [name, value] of Object.entries(config)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) validateField(field, value, config, [...path, name], scopeOf(name, field, scope, inside));
    else {
      const message = `${node.type} has no config ${name}`;
      const hint = () => didYouMean(name, Object.keys(fields));
      scope.report('CONFIG_UNKNOWN', [...path, name], node.id, message, hint);
    }
  }
}

/** `while` is asked before the pass that `pass` counts, when no node of the body has run. */
function scopeOf(name: string, field: ConfigField, scope: Scope, inside: Scope): Scope {
  if (field.scope !== 'body') return scope;
  return name === 'while' ? { ...scope, locals: inside.locals } : inside;
}

function validateField(field: ConfigField, value: Json, config: JsonObject, path: Path, scope: Scope): void {
  switch (field.kind) {
    case 'literal':
      return validateLiteral(field.schema ?? true, value, path, scope);
    case 'mapping':
      return validateMapping(value, path, scope);
    case 'number':
      if (typeof value === 'string') return validateExpression(value, path, scope);
      if (!Number.isInteger(value)) return wrongType('a whole number or a CEL expression', path, scope);
      return validateRange(value as number, 0, LIMITS.timeoutMs, path, scope);
    case 'expression':
      return typeof value === 'string'
        ? validateExpression(value, path, scope)
        : wrongType('a CEL expression (a string)', path, scope);
    case 'template':
      return typeof value === 'string'
        ? validateTemplate(value, path, scope)
        : wrongType('a template (a string)', path, scope);
    case 'prompt':
      return typeof value === 'string'
        ? validatePrompt(value, config['values'], path, scope)
        : wrongType('a template (a string)', path, scope);
    case 'cases':
      return validateCases(value, path, scope);
    case 'templates':
      if (!isJsonObject(value)) return wrongType('an object of templates', path, scope);
      for (const [key, inner] of Object.entries(value)) {
        if (typeof inner === 'string') validateTemplate(inner, [...path, key], scope);
        else wrongType('a template (a string)', [...path, key], scope);
      }
  }
}

function validateCases(value: Json, path: Path, scope: Scope): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.fanOut) {
    return wrongType(`a list of 1 to ${LIMITS.fanOut} cases {port, when}`, path, scope);
  }
  const seen = new Set<Json>();
  for (const [index, one] of value.entries()) {
    const here = [...path, index];
    if (!isJsonObject(one) || typeof one['port'] !== 'string' || typeof one['when'] !== 'string') {
      wrongType('a case {"port": "...", "when": "CEL"}', here, scope);
      continue;
    }
    const { port, when } = one;
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(port) || port === 'default' || port === 'error' || seen.has(port)) {
      wrongType('a port of its own: letters, digits and _, not default or error', [...here, 'port'], scope);
    }
    seen.add(port);
    validateExpression(when, [...here, 'when'], scope);
  }
}

const wrongType = (expected: string, path: Path, scope: Scope): void =>
  scope.report('CONFIG_TYPE', path, scope.nodeId, `must be ${expected}`);

function validateMapping(value: Json, path: Path, scope: Scope): void {
  if (typeof value === 'string') return validateExpression(value, path, scope);
  if (!isJsonObject(value)) {
    const message = 'must be a CEL expression (a string) or an object of them';
    const hint = `For a constant write it in CEL: ${JSON.stringify(JSON.stringify(value))}.`;
    return scope.report('CONFIG_TYPE', path, scope.nodeId, message, hint);
  }
  for (const [key, inner] of Object.entries(value)) validateMapping(inner, [...path, key], scope);
}

function validateExpression(expression: string, path: Path, scope: Scope): void {
  const { problems, nodeReferences, names } = checkExpression(expression);
  for (const { message, line, column } of problems) {
    const message_ = `${message} (line ${line}, column ${column})`;
    scope.report(
      'EXPRESSION_INVALID',
      path,
      scope.nodeId,
      message_,
      'The variables are input, nodes.<id>.output, vars and run; item and index in a map, pass in a loop.',
    );
  }
  for (const { name, variable, line, column } of names) {
    validateName(name, variable, ` (line ${line}, column ${column})`, path, scope);
  }
  for (const { nodeId, field, line, column } of nodeReferences) {
    validateReference(nodeId, field, ` (line ${line}, column ${column})`, path, scope);
  }
}

function validateName(name: string, variable: string | null, place: string, path: Path, scope: Scope): void {
  if (name === 'vars') {
    if (variable !== null && !Object.hasOwn(scope.variables, variable)) unknownVariable(variable, place, path, scope);
    return;
  }
  if (scope.locals.has(name)) return;
  const where = name === 'pass' ? 'loop' : 'map';
  const message = `${name} exists only in the body of a ${where}${place}`;
  scope.report('REFERENCE_UNKNOWN', path, scope.nodeId, message, `Put the node into a ${where} by "parent".`);
}

function validateTemplate(template: string, path: Path, scope: Scope): void {
  const check = checkTemplate(template);
  reportTemplate(check, path, scope);
  for (const parts of check.paths) {
    const [root, id, field] = parts;
    if (root === 'nodes' && id !== undefined) validateReference(id, field ?? null, '', path, scope);
    else if (root === 'vars') validateName(root, id ?? null, '', path, scope);
    else if (root === 'item' || root === 'index' || root === 'pass') validateName(root, null, '', path, scope);
    else if (root !== 'input' && root !== 'run') {
      const hint = 'Names are input.<name>, nodes.<id>.output, vars.<name> and run.<name>.';
      scope.report(
        'REFERENCE_UNKNOWN',
        path,
        scope.nodeId,
        `The template names ${parts.join('.')}, which does not exist`,
        hint,
      );
    }
  }
}

/** A prompt sees the node's own `values` alone, as it is rendered where the run's data is not. */
function validatePrompt(template: string, values: Json | undefined, path: Path, scope: Scope): void {
  const check = checkTemplate(template);
  reportTemplate(check, path, scope);
  if (typeof values === 'string') return;
  const known = isJsonObject(values) ? Object.keys(values) : [];
  for (const parts of check.paths) {
    if (known.includes(parts[0] ?? '')) continue;
    const hint = `Add it to config.values, for example {"${parts[0]}": "nodes.<id>.output"}.`;
    scope.report(
      'REFERENCE_UNKNOWN',
      path,
      scope.nodeId,
      `The prompt names ${parts.join('.')}, which is not in values`,
      hint,
    );
  }
}

function reportTemplate(check: ReturnType<typeof checkTemplate>, path: Path, scope: Scope): void {
  for (const { message, line, column } of check.problems) {
    const place = line === null ? '' : ` (line ${line}${column === null ? '' : `, column ${column}`})`;
    scope.report('TEMPLATE_INVALID', path, scope.nodeId, `${message}${place}`);
  }
}

function validateReference(id: string, field: string | null, place: string, path: Path, scope: Scope): void {
  if (!scope.ids.has(id)) {
    const hint = () => didYouMean(id, [...scope.ids]);
    scope.report('REFERENCE_UNKNOWN', path, scope.nodeId, `There is no node ${id}${place}`, hint);
    return;
  }
  if (scope.before && !scope.before.has(id)) {
    const message =
      id === scope.nodeId ? `Node ${id} reads itself` : `Node ${id} cannot have run before ${scope.nodeId}`;
    const hint = `Only nodes with a path to ${scope.nodeId} can be read here; add an edge.`;
    scope.report('REFERENCE_NOT_BEFORE', path, scope.nodeId, `${message}${place}`, hint);
  }
  if (field === null || !NODE_VIEW.includes(field)) {
    const found = field === null ? `nodes.${id} alone` : `nodes.${id}.${field}`;
    const hint = field === null ? `Write nodes.${id}.output.` : `Write nodes.${id}.output.${field}.`;
    scope.report('REFERENCE_UNKNOWN', path, scope.nodeId, `${found}: a node has ${NODE_VIEW.join(', ')}${place}`, hint);
  }
}

/** The few keywords that the node table uses; user schemas are Ajv's business at the doors. */
function validateLiteral(schema: JsonSchema, value: Json, path: Path, scope: Scope): void {
  if (typeof schema === 'boolean') return;
  const { enum: choices, type, minimum, maximum } = schema;
  if (Array.isArray(choices) && !choices.includes(value)) {
    return wrongType(`one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`, path, scope);
  }
  if (type === 'integer' && !Number.isInteger(value)) return wrongType('a whole number', path, scope);
  if ((type === 'string' || type === 'number' || type === 'boolean') && typeof value !== type) {
    return wrongType(`a ${type}`, path, scope);
  }
  if (type === 'object' && !isJsonObject(value)) return wrongType('an object', path, scope);
  if (type === 'array') {
    const problem = schemaProblem(schema, value);
    if (problem !== null) return wrongType(`a list as described: ${problem}`, path, scope);
  }
  if (typeof value === 'number' && typeof minimum === 'number' && typeof maximum === 'number') {
    validateRange(value, minimum, maximum, path, scope);
  }
}

function validateRange(value: number, minimum: number, maximum: number, path: Path, scope: Scope): void {
  if (value >= minimum && value <= maximum) return;
  scope.report('LIMIT_EXCEEDED', path, scope.nodeId, `${value} is not from ${minimum} to ${maximum}`);
}
