import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { templateReferences } from './check-template.ts';
import type { Mapping } from './definition.ts';
import { evaluateExpression, type ExpressionContext } from './expression.ts';
import { LIMITS } from './limits.ts';
import type { FieldKind, NodeTypeRow } from './node-types.ts';
import { renderTemplate } from './template.ts';

/** The config with every expression and template replaced by its value; prompts, and what is evaluated in a body, are left out of that. */
export function resolveConfig(
  { row, config }: { row: NodeTypeRow; config: JsonObject },
  context: ExpressionContext,
): JsonObject {
  const resolved: JsonObject = {};
  for (const [name, value] of Object.entries(config)) {
    const field = Object.hasOwn(row.config, name) ? row.config[name] : undefined;
    if (field && field.scope !== 'body') resolved[name] = resolveField(field.kind, value, context);
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
    case 'cases':
      return (value as JsonObject[]).map(({ port, when }) => ({ port: port as Json, when: when as Json }));
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
  return renderTemplate(template, {
    ...context.bindings,
    input: context.input,
    run: context.run,
    vars: context.vars,
    nodes,
  });
}

function wholeNumber(expression: string, context: ExpressionContext): number {
  const value = evaluateExpression(expression, context);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LIMITS.timeoutMs) return value;
  const detail = `gave ${JSON.stringify(value)}, not a whole number from 0 to ${LIMITS.timeoutMs}`;
  throw new AppError('EXPRESSION_FAILED', { expression, detail });
}
