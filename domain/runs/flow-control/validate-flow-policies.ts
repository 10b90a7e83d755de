import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { checkExpression } from '../check-expression.ts';
import { LIMITS } from '../limits.ts';
import type { Report } from '../problem-list.ts';
import { FLOW_LIMITS, PRIORITY } from './flow-policies.ts';

type Path = readonly (string | number)[];
type Field =
  | { kind: 'expression'; required?: true }
  | { kind: 'number'; min: number; max: number; required?: true }
  | { kind: 'weight' }
  | { kind: 'choice'; of: readonly string[] };
type Shape = Readonly<Record<string, Field>>;

const MS: Field = { kind: 'number', min: 1, max: LIMITS.timeoutMs, required: true };
const POLICIES: Readonly<Record<string, Shape>> = {
  rateLimit: {
    key: { kind: 'expression' },
    limit: { kind: 'number', min: 1, max: FLOW_LIMITS.rate, required: true },
    periodMs: MS,
  },
  singleton: { key: { kind: 'expression' }, onConflict: { kind: 'choice', of: ['skip', 'cancel'] } },
  debounce: {
    key: { kind: 'expression' },
    periodMs: MS,
    maxWaitMs: { kind: 'number', min: 1, max: LIMITS.timeoutMs },
  },
  fairness: { key: { kind: 'expression', required: true }, weight: { kind: 'weight' } },
};
const CONCURRENCY: Shape = {
  key: { kind: 'expression' },
  limit: { kind: 'number', min: 1, max: FLOW_LIMITS.concurrency, required: true },
  onLimit: { kind: 'choice', of: ['queue', 'cancel-oldest', 'reject'] },
  scope: { kind: 'choice', of: ['workflow', 'tenant'] },
};
const PRIORITY_FIELD: Field = { kind: 'number', min: PRIORITY.first, max: PRIORITY.last };

/** Everything that is wrong with the flow control of a definition's `policies`. */
export function validateFlowPolicies(policies: JsonObject, report: Report): void {
  for (const [name, shape] of Object.entries(POLICIES)) {
    if (policies[name] !== undefined) validateShape(policies[name], shape, ['policies', name], report);
  }
  if (policies['priority'] !== undefined) {
    validateField(policies['priority'], PRIORITY_FIELD, ['policies', 'priority'], report);
  }
  const { concurrency } = policies;
  if (concurrency === undefined) return;
  const path = ['policies', 'concurrency'];
  if (!Array.isArray(concurrency)) return report('DEFINITION_SHAPE', path, null, 'concurrency must be a list');
  if (concurrency.length > FLOW_LIMITS.concurrencyPolicies) {
    const message = `${concurrency.length} concurrency policies; the limit is ${FLOW_LIMITS.concurrencyPolicies}`;
    return report('LIMIT_EXCEEDED', path, null, message);
  }
  concurrency.forEach((policy, index) => validateShape(policy, CONCURRENCY, [...path, index], report));
}

function validateShape(value: Json, shape: Shape, path: Path, report: Report): void {
  if (!isJsonObject(value)) return report('DEFINITION_SHAPE', path, null, `${String(path.at(-1))} must be an object`);
  const known = Object.keys(shape);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      report('DEFINITION_SHAPE', [...path, name], null, `unknown field ${name}`, `Known are ${known.join(', ')}.`);
    }
  }
  for (const [name, field] of Object.entries(shape)) {
    const found = value[name];
    if (found !== undefined) validateField(found, field, [...path, name], report);
    else if ('required' in field) report('DEFINITION_SHAPE', [...path, name], null, `${name} is missing`);
  }
}

function validateField(value: Json, field: Field, path: Path, report: Report): void {
  const name = String(path.at(-1));
  switch (field.kind) {
    case 'choice':
      if (typeof value === 'string' && field.of.includes(value)) return;
      return report('DEFINITION_SHAPE', path, null, `${name} must be one of ${field.of.join(', ')}`);
    case 'number': {
      const { min, max } = field;
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
      return report('LIMIT_EXCEEDED', path, null, `${name} must be a whole number from ${min} to ${max}`);
    }
    case 'weight': {
      if (typeof value === 'string') return validateExpression(value, path, report);
      const { least, most } = FLOW_LIMITS.weight;
      if (typeof value === 'number' && value >= least && value <= most) return;
      return report(
        'LIMIT_EXCEEDED',
        path,
        null,
        `${name} must be CEL over input, or a number from ${least} to ${most}`,
      );
    }
    case 'expression':
      if (typeof value === 'string') return validateExpression(value, path, report);
      return report('DEFINITION_SHAPE', path, null, `${name} must be a CEL expression (a string)`);
  }
}

/** There is nothing but the input yet when it is asked. */
function validateExpression(expression: string, path: Path, report: Report): void {
  const { problems, nodeReferences } = checkExpression(expression);
  for (const { message, line, column } of problems) {
    report('EXPRESSION_INVALID', path, null, `line ${line}, column ${column}: ${message}`);
  }
  for (const { nodeId } of nodeReferences) {
    const message = `nodes.${nodeId} is not known before the run starts`;
    report('REFERENCE_NOT_BEFORE', path, null, message, 'Use `input` alone.');
  }
}
