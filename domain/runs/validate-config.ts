import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { checkTemplate } from './check-template.ts';
import type { JsonSchema, NodeDefinition, RetryPolicy } from './definition.ts';
import { checkExpression } from './check-expression.ts';
import { LIMITS } from './limits.ts';
import { type ConfigField, isNodeType, type NodeTypeRow, nodeTypeRow } from './node-types.ts';
import { didYouMean, type Report } from './problem-list.ts';
import type { Ancestors } from './validate-graph.ts';
import type { ReadableDefinition } from './validate-shape.ts';

type Path = readonly (string | number)[];
const NODE_VIEW = ['output', 'status', 'port', 'error'];

/** Where an expression stands, and which nodes are settled before it is read; null ids mean that the graph is unsound. */
type Scope = { nodeId: string | null; ids: ReadonlySet<string>; before: ReadonlySet<string> | null; report: Report };

export function validateConfigs(definition: ReadableDefinition, ancestors: Ancestors, report: Report): void {
  const { ids } = definition;
  for (const { value: node, index } of definition.nodes) {
    if (!isNodeType(node.type)) continue;
    const before = ancestors ? (ancestors.get(node.id) ?? new Set<string>()) : null;
    const path = ['nodes', index];
    const scope = { nodeId: node.id, ids, before, report };
    validateConfig(node, nodeTypeRow(node.type), [...path, 'config'], scope);
    validateIntervals({ ...nodeTypeRow(node.type).retry, ...node.retry }, [...path, 'retry'], scope);
    if (nodeTypeRow(node.type).class !== 'activity') validateNoActivityFields(node, path, scope);
  }
  if (definition.output !== undefined) {
    validateMapping(definition.output, ['output'], { nodeId: null, ids, before: ids, report });
  }
}

/** Said rather than ignored: whoever writes a retry counts on it. */
function validateNoActivityFields(node: NodeDefinition, path: Path, scope: Scope): void {
  for (const name of ['retry', 'timeouts', 'taskQueue'] as const) {
    if (node[name] === undefined) continue;
    const message = `${node.type} runs inside the workflow, so ${name} would have no effect`;
    scope.report('CONFIG_UNKNOWN', [...path, name], node.id, message, 'Remove it; only activity nodes have one.');
  }
}

/** Temporal refuses the activity otherwise; the type's own policy counts where the node sets none. */
function validateIntervals({ initialIntervalMs, maximumIntervalMs }: RetryPolicy, path: Path, scope: Scope): void {
  if (initialIntervalMs === undefined || maximumIntervalMs === undefined || initialIntervalMs <= maximumIntervalMs)
    return;
  const message = `initialIntervalMs (${initialIntervalMs}) must not exceed maximumIntervalMs (${maximumIntervalMs})`;
  scope.report('LIMIT_EXCEEDED', path, scope.nodeId, message, 'Set both, the maximum at least as long as the initial.');
}

function validateConfig(node: NodeDefinition, row: NodeTypeRow, path: Path, scope: Scope): void {
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
    if (field) validateField(field, value, config, [...path, name], scope);
    else {
      const message = `${node.type} has no config ${name}`;
      const hint = () => didYouMean(name, Object.keys(fields));
      scope.report('CONFIG_UNKNOWN', [...path, name], node.id, message, hint);
    }
  }
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
    case 'templates':
      if (!isJsonObject(value)) return wrongType('an object of templates', path, scope);
      for (const [key, inner] of Object.entries(value)) {
        if (typeof inner === 'string') validateTemplate(inner, [...path, key], scope);
        else wrongType('a template (a string)', [...path, key], scope);
      }
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
  const { problems, nodeReferences } = checkExpression(expression);
  for (const { message, line, column } of problems) {
    const message_ = `${message} (line ${line}, column ${column})`;
    scope.report(
      'EXPRESSION_INVALID',
      path,
      scope.nodeId,
      message_,
      'The variables are input, nodes.<id>.output and run.',
    );
  }
  for (const { nodeId, field, line, column } of nodeReferences) {
    validateReference(nodeId, field, ` (line ${line}, column ${column})`, path, scope);
  }
}

function validateTemplate(template: string, path: Path, scope: Scope): void {
  const check = checkTemplate(template);
  reportTemplate(check, path, scope);
  for (const parts of check.paths) {
    const [root, id, field] = parts;
    if (root === 'nodes' && id !== undefined) validateReference(id, field ?? null, '', path, scope);
    else if (root !== 'input' && root !== 'run') {
      const hint = 'Names are input.<name>, nodes.<id>.output and run.<name>.';
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
  if (typeof value === 'number' && typeof minimum === 'number' && typeof maximum === 'number') {
    validateRange(value, minimum, maximum, path, scope);
  }
}

function validateRange(value: number, minimum: number, maximum: number, path: Path, scope: Scope): void {
  if (value >= minimum && value <= maximum) return;
  scope.report('LIMIT_EXCEEDED', path, scope.nodeId, `${value} is not from ${minimum} to ${maximum}`);
}
