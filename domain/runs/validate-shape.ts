import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { EdgeDefinition, NodeDefinition } from './definition.ts';
import { FLOW_POLICY_NAMES } from './flow-control/flow-policies.ts';
import { validateFlowPolicies } from './flow-control/validate-flow-policies.ts';
import { LIMITS } from './limits.ts';
import type { Report } from './problem-list.ts';

/** In the order in which people read them. */
export const DEFINITION_FIELDS = [
  '$schema',
  'name',
  'description',
  'input',
  'variables',
  'nodes',
  'edges',
  'output',
  'policies',
  'metadata',
];
const ACTIVITY_FIELDS = ['type', 'name', 'config', 'retry', 'timeouts', 'taskQueue'];
const NODE_FIELDS = [...ACTIVITY_FIELDS, 'id', 'parent', 'onError', 'fallback', 'undo', 'fuse', 'reuse'];
const ERROR_POLICIES = ['fail', 'continue', 'route'];
const REUSE_POLICIES = ['same', 'always', 'never'];
const FAILURE_POLICIES = ['drain', 'cancel', 'pause'];
const EDGE_FIELDS = ['from', 'to', 'port'];
const RETRY_FIELDS = [
  'maximumAttempts',
  'initialIntervalMs',
  'backoffCoefficient',
  'maximumIntervalMs',
  'jitter',
  'nonRetryableCodes',
];
const TIMEOUT_FIELDS = ['scheduleToCloseMs', 'scheduleToStartMs', 'startToCloseMs', 'heartbeatMs'];

type Path = readonly (string | number)[];

/** A node or edge and its place in the definition's list. */
export type Placed<Value> = { value: Value; index: number };
/** The parts of a definition that have its shape. */
export type ReadableDefinition = {
  nodes: readonly Placed<NodeDefinition>[];
  edges: readonly Placed<EdgeDefinition>[];
  output: Json | undefined;
  variables: JsonObject;
  /** Ids of all nodes, also of those that are not readable otherwise. */
  ids: ReadonlySet<string>;
  /** Whether nothing was left out. */
  complete: boolean;
};

/** Reports everything that is not of a definition's shape and gives what the rest of the validation can read. */
export function validateShape(value: unknown, report: Report): ReadableDefinition | null {
  if (!isJsonObject(value)) {
    report('DEFINITION_SHAPE', [], null, 'A definition is a JSON object', 'Send {"name", "nodes", "edges", ...}.');
    return null;
  }
  unknownFields(value, DEFINITION_FIELDS, [], null, report);
  validateName(value['name'], report);
  text(value, 'description', [], null, report);
  if (value['input'] !== undefined && typeof value['input'] !== 'boolean' && !isJsonObject(value['input'])) {
    report('INPUT_SCHEMA_INVALID', ['input'], null, 'input must be a JSON Schema: an object or a boolean');
  }
  if (value['policies'] !== undefined) validatePolicies(value['policies'], report);
  const nodes = list(value, 'nodes', LIMITS.nodes, report);
  const edges = list(value, 'edges', LIMITS.edges, report);
  if (nodes === null) return null;
  const readableNodes = placed<NodeDefinition>(nodes, (node, index) => validateNode(node, index, report));
  const readableEdges = placed<EdgeDefinition>(edges ?? [], (edge, index) => validateEdge(edge, index, report));
  return {
    nodes: readableNodes,
    edges: readableEdges,
    output: value['output'],
    variables: readVariables(value['variables'], report),
    ids: new Set(nodes.flatMap((node) => (isJsonObject(node) && typeof node['id'] === 'string' ? [node['id']] : []))),
    complete: readableNodes.length === nodes.length && readableEdges.length === edges?.length,
  };
}

function placed<Value>(list: readonly Json[], readable: (value: Json, index: number) => boolean): Placed<Value>[] {
  return list
    .map((value, index) => ({ value: value as Value, index }))
    .filter(({ value, index }) => readable(value as Json, index));
}

function validateName(name: Json | undefined, report: Report): void {
  const valid = typeof name === 'string' && /^[a-z][a-z0-9-]*$/.test(name) && name.length <= LIMITS.nameLength;
  if (!valid) {
    report(
      'NAME_INVALID',
      ['name'],
      null,
      `name must be 1 to ${LIMITS.nameLength} lower-case letters, digits and hyphens, a letter first`,
      'For example "research-brief".',
    );
  }
}

function validateNode(node: Json, index: number, report: Report): boolean {
  const path = ['nodes', index];
  if (!isJsonObject(node)) {
    report('DEFINITION_SHAPE', path, null, 'A node is an object with id and type');
    return false;
  }
  const id = typeof node['id'] === 'string' ? node['id'] : null;
  if (id === null) report('DEFINITION_SHAPE', [...path, 'id'], null, 'id must be a string');
  if (typeof node['type'] !== 'string') report('DEFINITION_SHAPE', [...path, 'type'], id, 'type must be a string');
  unknownFields(node, NODE_FIELDS, path, id, report);
  text(node, 'name', path, id, report);
  text(node, 'taskQueue', path, id, report);
  text(node, 'parent', path, id, report);
  oneOf(node, 'onError', ERROR_POLICIES, path, id, report);
  oneOf(node, 'reuse', REUSE_POLICIES, path, id, report);
  if (node['fuse'] !== undefined && typeof node['fuse'] !== 'boolean') {
    report('DEFINITION_SHAPE', [...path, 'fuse'], id, 'fuse must be true or false');
  }
  const undoable = validateUndo(node['undo'], [...path, 'undo'], id, report);
  const configured = node['config'] === undefined || isJsonObject(node['config']);
  if (!configured) report('CONFIG_TYPE', [...path, 'config'], id, 'config must be an object');
  validateRetry(node['retry'], [...path, 'retry'], id, report);
  validateTimeouts(node['timeouts'], [...path, 'timeouts'], id, report);
  return undoable && configured && id !== null && typeof node['type'] === 'string';
}

function validateUndo(undo: Json | undefined, path: Path, id: string | null, report: Report): boolean {
  if (undo === undefined) return true;
  if (!isJsonObject(undo) || typeof undo['type'] !== 'string') {
    report('DEFINITION_SHAPE', path, id, 'undo must be an object with the type of an activity');
    return false;
  }
  unknownFields(undo, ACTIVITY_FIELDS, path, id, report);
  text(undo, 'name', path, id, report);
  text(undo, 'taskQueue', path, id, report);
  validateRetry(undo['retry'], [...path, 'retry'], id, report);
  validateTimeouts(undo['timeouts'], [...path, 'timeouts'], id, report);
  const configured = undo['config'] === undefined || isJsonObject(undo['config']);
  if (!configured) report('CONFIG_TYPE', [...path, 'config'], id, 'config must be an object');
  return configured;
}

function readVariables(variables: Json | undefined, report: Report): JsonObject {
  if (variables === undefined) return {};
  if (!isJsonObject(variables)) {
    report('DEFINITION_SHAPE', ['variables'], null, 'variables must be an object: names and first values');
    return {};
  }
  const names = Object.keys(variables);
  if (names.length > LIMITS.variables) {
    report('LIMIT_EXCEEDED', ['variables'], null, `${names.length} variables; the limit is ${LIMITS.variables}`);
  }
  for (const name of names) {
    if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name) && name.length <= LIMITS.nodeIdLength) continue;
    const message = `Variable ${JSON.stringify(name)} must be named by letters, digits and _, a letter first`;
    report('DEFINITION_SHAPE', ['variables', name], null, message);
  }
  return variables;
}

function validateEdge(edge: Json, index: number, report: Report): boolean {
  const path = ['edges', index];
  if (!isJsonObject(edge) || typeof edge['from'] !== 'string' || typeof edge['to'] !== 'string') {
    report('DEFINITION_SHAPE', path, null, 'An edge is an object with from and to');
    return false;
  }
  unknownFields(edge, EDGE_FIELDS, path, null, report);
  text(edge, 'port', path, null, report);
  return true;
}

function validateRetry(retry: Json | undefined, path: Path, id: string | null, report: Report): void {
  if (retry === undefined) return;
  if (!isJsonObject(retry)) return report('DEFINITION_SHAPE', path, id, 'retry must be an object');
  unknownFields(retry, RETRY_FIELDS, path, id, report);
  number(retry, 'maximumAttempts', { min: 1, max: LIMITS.retryAttempts, whole: true }, path, id, report);
  number(retry, 'initialIntervalMs', { min: 1, max: LIMITS.timeoutMs, whole: true }, path, id, report);
  number(retry, 'maximumIntervalMs', { min: 1, max: LIMITS.timeoutMs, whole: true }, path, id, report);
  number(retry, 'backoffCoefficient', { min: 1, max: 100, whole: false }, path, id, report);
  number(retry, 'jitter', { min: 0, max: 1, whole: false }, path, id, report);
  const codes = retry['nonRetryableCodes'];
  if (codes !== undefined && !(Array.isArray(codes) && codes.every((code) => typeof code === 'string'))) {
    report('DEFINITION_SHAPE', [...path, 'nonRetryableCodes'], id, 'nonRetryableCodes must be a list of strings');
  }
}

function validateTimeouts(timeouts: Json | undefined, path: Path, id: string | null, report: Report): void {
  if (timeouts === undefined) return;
  if (!isJsonObject(timeouts)) return report('DEFINITION_SHAPE', path, id, 'timeouts must be an object');
  unknownFields(timeouts, TIMEOUT_FIELDS, path, id, report);
  for (const name of TIMEOUT_FIELDS) {
    number(timeouts, name, { min: 1, max: LIMITS.timeoutMs, whole: true }, path, id, report);
  }
}

function validatePolicies(policies: Json, report: Report): void {
  if (!isJsonObject(policies)) return report('DEFINITION_SHAPE', ['policies'], null, 'policies must be an object');
  unknownFields(
    policies,
    ['runTimeoutMs', 'onNodeFailure', 'continueAsNewAfterEvents', ...FLOW_POLICY_NAMES],
    ['policies'],
    null,
    report,
  );
  validateFlowPolicies(policies, report);
  number(policies, 'runTimeoutMs', { min: 1, max: LIMITS.timeoutMs, whole: true }, ['policies'], null, report);
  number(policies, 'continueAsNewAfterEvents', { min: 20, max: 10_000, whole: true }, ['policies'], null, report);
  oneOf(policies, 'onNodeFailure', FAILURE_POLICIES, ['policies'], null, report);
}

function unknownFields(value: JsonObject, known: string[], path: Path, id: string | null, report: Report): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      report('DEFINITION_SHAPE', [...path, name], id, `unknown field ${name}`, `Known are ${known.join(', ')}.`);
    }
  }
}

/** Nothing inside a list that is too long is looked at: that could take very long. */
function list(value: JsonObject, name: string, limit: number, report: Report): Json[] | null {
  const found = value[name];
  if (!Array.isArray(found)) {
    report('DEFINITION_SHAPE', [name], null, `${name} must be a list`);
    return null;
  }
  if (found.length <= limit) return found;
  report('LIMIT_EXCEEDED', [name], null, `${found.length} ${name}; the limit is ${limit}`);
  return null;
}

function text(value: JsonObject, name: string, path: Path, id: string | null, report: Report): void {
  if (value[name] !== undefined && typeof value[name] !== 'string') {
    report('DEFINITION_SHAPE', [...path, name], id, `${name} must be a string`);
  }
}

function oneOf(
  value: JsonObject,
  name: string,
  choices: readonly string[],
  path: Path,
  id: string | null,
  report: Report,
): void {
  const found = value[name];
  if (found === undefined || (typeof found === 'string' && choices.includes(found))) return;
  report('DEFINITION_SHAPE', [...path, name], id, `${name} must be one of ${choices.join(', ')}`);
}

type Range = { min: number; max: number; whole: boolean };

function number(value: JsonObject, name: string, range: Range, path: Path, id: string | null, report: Report): void {
  const found = value[name];
  if (found === undefined) return;
  const valid =
    typeof found === 'number' && (!range.whole || Number.isInteger(found)) && found >= range.min && found <= range.max;
  if (valid) return;
  const kind = range.whole ? 'a whole number' : 'a number';
  report('LIMIT_EXCEEDED', [...path, name], id, `${name} must be ${kind} from ${range.min} to ${range.max}`);
}
