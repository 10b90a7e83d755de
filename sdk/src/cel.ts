import { celPath, pathOf, type Reference } from './reference.ts';

declare const type: unique symbol;
declare const untyped: unique symbol;
const SOURCE = Symbol('source');

/** What an expression gives when nobody said. */
export type Untyped = { readonly [untyped]: true };
/** A CEL expression, and the type of what it gives. */
export type Cel<Type> = { readonly [SOURCE]: string; readonly [type]?: Type };

export type CelPart = Reference<unknown> | Cel<unknown> | CelLiteral;
type CelLiteral = string | number | boolean | null | readonly CelLiteral[];

/**
 * A CEL expression around references; what is no reference becomes a literal. The type is for those who read the result.
 *
 * @example
 * ```ts
 * workflow('triage')
 *   .input({ type: 'object', required: ['text'], properties: { text: { type: 'string' } } })
 *   .node('analyze', 'content.analyze', ({ input }) => ({ text: input.text }))
 *   .node('isRich', 'branch', ({ nodes }) => ({ condition: cel<boolean>`size(${nodes.analyze.keywords}) > ${3}` }))
 *   .edge('analyze', 'isRich')
 *   .build();
 * ```
 */
export function cel<Type = Untyped>(strings: TemplateStringsArray, ...parts: CelPart[]): Cel<Type> {
  return { [SOURCE]: strings.reduce((text, string, index) => `${text}${printPart(parts[index - 1])}${string}`) };
}

export function celSource(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && SOURCE in value ? (value as Cel<unknown>)[SOURCE] : undefined;
}

function printPart(part: CelPart | undefined): string {
  const path = pathOf(part);
  if (path) return celPath(path);
  const source = celSource(part);
  return source === undefined ? literal(part as CelLiteral) : `(${source})`;
}

function literal(value: CelLiteral): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} has no CEL literal`);
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value);
}
