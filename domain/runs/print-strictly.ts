import { AppError } from '../errors.ts';

export const PRINT = 'weft_print';

/**
 * Turns each `{{a.b}}` into `{{weft_print this "a" "b"}}` and `{{helper a}}` into `{{weft_print (helper a)}}`. Without it, Handlebars'
 * strict mode finds names of prototypes, prints objects as `[object Object]`, and adds up numbers that stand side by side.
 */
export function printStrictly(
  program: hbs.AST.Program,
  helpers: ReadonlySet<string>,
  names: readonly string[] = [],
): void {
  for (const statement of program.body) {
    if (statement.type === 'BlockStatement') {
      const { program: inner, inverse } = statement as hbs.AST.BlockStatement;
      if (inner) printStrictly(inner, helpers, [...names, ...(inner.blockParams ?? [])]);
      if (inverse) printStrictly(inverse, helpers, [...names, ...(inverse.blockParams ?? [])]);
    }
    if (statement.type === 'MustacheStatement') printMustache(statement as hbs.AST.MustacheStatement, helpers, names);
  }
}

function printMustache(
  mustache: hbs.AST.MustacheStatement,
  helpers: ReadonlySet<string>,
  names: readonly string[],
): void {
  const path = mustache.path as hbs.AST.PathExpression;
  if (path.type !== 'PathExpression') return;
  const { params, hash, loc } = mustache;
  if (params.length > 0 || helpers.has(path.original)) {
    mustache.params = [{ type: 'SubExpression', path, params, hash, loc } as hbs.AST.SubExpression];
  } else {
    const named =
      path.data || (path.depth === 0 && names.includes(path.parts[0] ?? '') && !path.original.startsWith('this'));
    const taken = named ? 1 : 0;
    const keys = path.parts.slice(taken).map((value) => ({ type: 'StringLiteral', value, original: value, loc }));
    const base: hbs.AST.PathExpression = { ...path, parts: path.parts.slice(0, taken) };
    mustache.params = [base, ...keys];
  }
  mustache.path = { ...path, data: false, depth: 0, parts: [PRINT], original: PRINT };
}

/** @throws AppError for a name that is not there, and for what has no text. */
export function print(base: unknown, ...keysAndOptions: unknown[]): string {
  let value = base;
  for (const key of keysAndOptions.slice(0, -1) as string[]) {
    if (value === null || value === undefined || !Object.hasOwn(Object(value) as object, key)) {
      throw new AppError('TEMPLATE_FAILED', { detail: `"${key}" is not there` });
    }
    value = (value as Record<string, unknown>)[key];
  }
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  const kind = Array.isArray(value) ? 'a list; use join, json or each' : 'an object; use json';
  throw new AppError('TEMPLATE_FAILED', { detail: `what is printed is ${kind}` });
}
