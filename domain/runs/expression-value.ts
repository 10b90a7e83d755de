import { Optional } from '@marcbachmann/cel-js';
import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';

/**
 * CEL values as JSON: int and uint become numbers (refused beyond 2^53), timestamps RFC 3339 strings, durations milliseconds,
 * types their name, an empty optional null. Not-a-number, infinities and bytes have no JSON form and are refused.
 */
export function fromCel(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw failed(`the result ${value} is not a finite number`);
      return value;
    case 'bigint':
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
        throw failed(`the integer ${value} exceeds 2^53`);
      }
      return Number(value);
    case 'object':
      return value === null ? null : fromCelObject(value);
    case 'undefined':
      return null;
    default:
      throw failed(`the result is a ${typeof value}`);
  }
}

function fromCelObject(value: object): Json {
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Optional) return value.hasValue() ? fromCel(value.value()) : null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) throw failed('the result is of type bytes; convert it by string()');
  if (value instanceof Map) return fromEntries(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return fromEntries(Object.entries(value));
  const plain: unknown = value.valueOf();
  return typeof plain === 'object' ? String(value) : fromCel(plain);
}

function fromEntries(entries: Iterable<[unknown, unknown]>): Json {
  const result: Record<string, Json> = {};
  for (const [key, member] of entries) {
    Object.defineProperty(result, String(key), {
      value: fromCel(member),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}

function failed(detail: string): AppError {
  return new AppError('EXPRESSION_FAILED', { expression: '', detail });
}
