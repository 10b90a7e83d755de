import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { cannot } from './tokens.ts';

/** A value of n8n as CEL. */
export type ToCel = (value: Json) => string;

/** Both generations: `{string: [{value1, operation, value2}]}` and `{conditions: [{leftValue, operator, rightValue}], combinator}`. */
export function conditionToCel(parameters: JsonObject, toCel: ToCel): string {
  const conditions = parameters['conditions'];
  if (!isJsonObject(conditions)) throw cannot('it has no conditions');
  const list = conditions['conditions'];
  const tests = Array.isArray(list)
    ? list.filter(isJsonObject).map((one) => secondGeneration(one, toCel))
    : firstGeneration(conditions, toCel);
  if (tests.length === 0) throw cannot('it has no conditions');
  const any =
    conditions['combinator'] === 'or' || parameters['combineOperation'] === 'any' || parameters['combinator'] === 'or';
  return tests.join(any ? ' || ' : ' && ');
}

function secondGeneration(one: JsonObject, toCel: ToCel): string {
  const operator = isJsonObject(one['operator']) ? one['operator']['operation'] : one['operation'];
  return testToCel(String(operator ?? 'equals'), toCel(one['leftValue'] ?? null), () =>
    toCel(one['rightValue'] ?? null),
  );
}

function firstGeneration(conditions: JsonObject, toCel: ToCel): string[] {
  return Object.entries(conditions).flatMap(([type, tests]) =>
    (Array.isArray(tests) ? tests : []).filter(isJsonObject).map((one) => {
      const operation = String(one['operation'] ?? (type === 'number' ? 'smaller' : 'equal'));
      return testToCel(operation, toCel(one['value1'] ?? null), () =>
        toCel(one['value2'] ?? (type === 'boolean' ? false : '')),
      );
    }),
  );
}

/** One comparison, by the names that the generations have for it. */
export function testToCel(operation: string, left: string, right: () => string): string {
  switch (operation) {
    case 'equal':
    case 'equals':
      return `${left} == ${right()}`;
    case 'notEqual':
    case 'notEquals':
      return `${left} != ${right()}`;
    case 'smaller':
    case 'lt':
    case 'before':
      return `${left} < ${right()}`;
    case 'smallerEqual':
    case 'lte':
    case 'beforeOrEquals':
      return `${left} <= ${right()}`;
    case 'larger':
    case 'gt':
    case 'after':
      return `${left} > ${right()}`;
    case 'largerEqual':
    case 'gte':
    case 'afterOrEquals':
      return `${left} >= ${right()}`;
    case 'contains':
      return `${left}.contains(${right()})`;
    case 'notContains':
      return `!${left}.contains(${right()})`;
    case 'startsWith':
    case 'endsWith':
      return `${left}.${operation}(${right()})`;
    case 'notStartsWith':
    case 'notEndsWith':
      return `!${left}.${operation === 'notStartsWith' ? 'startsWith' : 'endsWith'}(${right()})`;
    case 'isEmpty':
    case 'empty':
      return `(${left} == null || size(${left}) == 0)`;
    case 'isNotEmpty':
    case 'notEmpty':
      return `(${left} != null && size(${left}) > 0)`;
    case 'true':
      return left;
    case 'false':
      return `!${left}`;
    case 'exists':
      return `${left} != null`;
    case 'notExists':
      return `${left} == null`;
    case 'lengthGt':
      return `size(${left}) > ${right()}`;
    case 'lengthLt':
      return `size(${left}) < ${right()}`;
    case 'lengthEquals':
      return `size(${left}) == ${right()}`;
    default:
      throw cannot(`the comparison ${operation} has no CEL`);
  }
}
