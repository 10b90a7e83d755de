import { Optional } from '@marcbachmann/cel-js';

const SCALAR = 8;
const CONTAINER = 16;
const known = new WeakMap<object, number>();

/**
 * About how many characters a value has as JSON. A part that occurs twice counts twice, as JSON has no sharing, but is
 * visited once: the cost is linear in memory, and nothing when asked again.
 */
export function valueSize(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return SCALAR;
  let size = known.get(value);
  if (size === undefined) {
    size = CONTAINER;
    for (const part of partsOf(value)) size += valueSize(part);
    known.set(value, size);
  }
  return size;
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Optional) return value.hasValue() ? [value.value()] : [];
  return Object.entries(value).flat();
}
