import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import { templateReferences } from './check-template.ts';
import type { Mapping } from './definition.ts';
import { evaluateExpression, type ExpressionContext } from './expression.ts';
import { LIMITS } from './limits.ts';
import type { FieldKind } from './node-types.ts';
import type { NodeState, RunState } from './run-state.ts';
import { renderTemplate } from './template.ts';

/** What expressions of a run may read. Validation lets a node name only nodes that are settled before it is due. */
export function contextOf(
  compiled: CompiledDefinition,
  state: RunState,
  nodes: readonly NodeState[],
): ExpressionContext {
  return {
    input: state.input,
    run: { workflow: compiled.definition.name },
    node: (id) => {
      const node = nodes[compiled.indexOf.get(id) ?? -1];
      if (node === undefined) return null;
      return { status: node.status, output: node.output, port: node.port, error: node.error };
    },
  };
}

/** The config with every expression and template replaced by its value; prompts stay as they are. */
export function resolveConfig(node: CompiledNode, context: ExpressionContext): JsonObject {
  const resolved: JsonObject = {};
  for (const [name, value] of Object.entries(node.config)) {
    const field = Object.hasOwn(node.row.config, name) ? node.row.config[name] : undefined;
    if (field) resolved[name] = resolveField(field.kind, value, context);
  }
  return resolved;
}

function resolveField(kind: FieldKind, value: Json, context: ExpressionContext): Json {
  switch (kind) {
    case 'literal':
    case 'prompt':
      return value;
    case 'expression':
      return evaluateExpression(value as string, context);
    case 'mapping':
      return evaluateMapping(value as Mapping, context);
    case 'template':
      return render(value as string, context);
    case 'templates':
      return Object.fromEntries(
        Object.entries(value as JsonObject).map(([key, text]) => [key, render(text as string, context)]),
      );
    case 'number':
      return typeof value === 'string' ? wholeNumber(value, context) : value;
  }
}

export function evaluateMapping(mapping: Mapping, context: ExpressionContext): Json {
  if (typeof mapping === 'string') return evaluateExpression(mapping, context);
  return Object.fromEntries(Object.entries(mapping).map(([key, inner]) => [key, evaluateMapping(inner, context)]));
}

function render(template: string, context: ExpressionContext): string {
  // Compiling costs a millisecond a run, since a run shares no code with another; most addresses and headers are plain text.
  if (!template.includes('{{')) return template;
  const nodes = Object.fromEntries(templateReferences(template).map((id) => [id, context.node(id)]));
  return renderTemplate(template, { input: context.input, run: context.run, nodes });
}

function wholeNumber(expression: string, context: ExpressionContext): number {
  const value = evaluateExpression(expression, context);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LIMITS.timeoutMs) return value;
  const detail = `gave ${JSON.stringify(value)}, not a whole number from 0 to ${LIMITS.timeoutMs}`;
  throw new AppError('EXPRESSION_FAILED', { expression, detail });
}
