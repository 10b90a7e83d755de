import type { Environment } from '@marcbachmann/cel-js';
import { AppError } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { boundedCache } from '../bounded-cache.ts';
import { checkExpression, summaryOf } from '../check-expression.ts';
import type { Mapping } from '../definition.ts';
import { visit } from '../expression-ast.ts';
import { assertWithinBudget, bounded, openBudget } from '../expression-budget.ts';
import { environment, EXPRESSION_VARIABLES, meteredEnvironment } from '../expression-environment.ts';
import { fromCel } from '../expression-value.ts';
import { LIMITS } from '../limits.ts';
import { METER_PREFIX, meterExpression } from '../meter-expression.ts';

/** What an expression of a trigger may read. */
export const TRIGGER_VARIABLES = {
  /** RFC 3339, and {id, name, timeZone, localTime}. */
  SCHEDULE: ['scheduledTime', 'schedule'],
  /** The body (parsed where it is JSON), headers by lower-case name, query parameters, and {id, name, messageId}. */
  WEBHOOK: ['body', 'headers', 'query', 'webhook'],
  /** {id, name, correlation, data, emittedAt}. */
  EVENT: ['event'],
} as const;
export type MappedTrigger = keyof typeof TRIGGER_VARIABLES;

const LARGEST_MAPPING = 200;

const withVariables = (base: Environment, kind: MappedTrigger): Environment => {
  const cel = base.clone();
  for (const name of TRIGGER_VARIABLES[kind]) cel.registerVariable(name, 'dyn');
  return cel;
};

function languageOf(kind: MappedTrigger) {
  const plain = withVariables(environment, kind);
  const metered = withVariables(meteredEnvironment, kind);
  const parse = boundedCache(LIMITS.cachedCharacters, (expression) => {
    const parsed = plain.parse(expression);
    const withMeters = meterExpression(parsed.ast);
    return withMeters.includes(METER_PREFIX) ? metered.parse(withMeters) : parsed;
  });
  return { plain, parse };
}

const LANGUAGES = {
  SCHEDULE: languageOf('SCHEDULE'),
  WEBHOOK: languageOf('WEBHOOK'),
  EVENT: languageOf('EVENT'),
} satisfies Record<MappedTrigger, ReturnType<typeof languageOf>>;

/** @throws AppError MAPPING_INVALID */
export function checkTriggerExpression(kind: MappedTrigger, expression: string, place: string): void {
  const { plain } = LANGUAGES[kind];
  const [problem] = checkExpression(expression, plain).problems;
  const refuse = (detail: string) => {
    const known = TRIGGER_VARIABLES[kind].join(', ');
    throw new AppError('MAPPING_INVALID', { detail: `${place}: ${detail}; the variables are ${known}` });
  };
  if (problem) refuse(`${problem.message} (line ${problem.line}, column ${problem.column})`);
  visit(plain.parse(expression).ast, (node) => {
    if (node.op === 'id' && (EXPRESSION_VARIABLES as readonly string[]).includes(node.args)) {
      refuse(`there is no ${node.args} before the run has begun`);
    }
  });
}

/** @throws AppError MAPPING_INVALID */
export function checkTriggerMapping(kind: MappedTrigger, value: Json, place = 'mapping'): Mapping {
  let leaves = 0;
  const check = (inner: Json, path: string): void => {
    if (isJsonObject(inner)) {
      for (const [key, member] of Object.entries(inner)) check(member, `${path}.${key}`);
    } else if (typeof inner === 'string') {
      leaves += 1;
      if (leaves > LARGEST_MAPPING)
        throw new AppError('MAPPING_INVALID', { detail: `more than ${LARGEST_MAPPING} fields` });
      checkTriggerExpression(kind, inner, path);
    } else {
      const detail = `${path}: must be a CEL expression (a string) or an object of them`;
      throw new AppError('MAPPING_INVALID', { detail });
    }
  };
  check(value, place);
  return value as Mapping;
}

/** @throws AppError EXPRESSION_FAILED */
export function evaluateTriggerMapping(kind: MappedTrigger, mapping: Mapping, values: JsonObject): Json {
  if (typeof mapping === 'string') return evaluateTriggerExpression(kind, mapping, values);
  return Object.fromEntries(
    Object.entries(mapping).map(([key, inner]) => [key, evaluateTriggerMapping(kind, inner, values)]),
  );
}

/** @throws AppError EXPRESSION_FAILED */
export function evaluateTriggerExpression(kind: MappedTrigger, expression: string, values: JsonObject): Json {
  openBudget();
  try {
    const value: unknown = LANGUAGES[kind].parse(expression)(values);
    assertWithinBudget();
    bounded(value);
    return fromCel(value);
  } catch (error) {
    const detail = error instanceof AppError ? String(error.fields['detail']) : summaryOf(error);
    throw new AppError('EXPRESSION_FAILED', { expression: expression.slice(0, 120), detail }, error);
  }
}
