import { readFileSync } from 'node:fs';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { CompatibleOptions } from './openai-compatible.ts';

const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const FIELDS = new Set(['name', 'baseUrl', 'apiKey', 'model', 'embeddingModel', 'maxOutputTokens', 'capabilities']);

/**
 * Further providers that speak chat completions: {"providers": [{"name", "baseUrl", "model", "apiKey"?, "embeddingModel"?,
 * "maxOutputTokens"?, "capabilities"?}]}.
 * @throws CONFIG_INVALID
 */
export function readModelsFile(
  path: string | null,
  taken: readonly string[],
  maxOutputTokens: number,
): CompatibleOptions[] {
  if (path === null) return [];
  const fail = (detail: string, cause?: unknown) =>
    new AppError('CONFIG_INVALID', { detail: `${path}: ${detail}` }, cause);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fail((error as Error).message, error);
  }
  const rows = isJsonObject(value) ? value['providers'] : undefined;
  if (!Array.isArray(rows)) throw fail('`providers` must be a list');
  const names = new Set(taken);
  return rows.map((row, index) => {
    const problem = isJsonObject(row) ? problemOf(row, names) : 'must be an object';
    if (problem !== null) throw fail(`providers[${index}]: ${problem}`);
    const { name, ...rest } = row as JsonObject & { name: string };
    names.add(name);
    return { maxOutputTokens, ...rest, provider: name } as unknown as CompatibleOptions;
  });
}

function problemOf(row: JsonObject, taken: ReadonlySet<string>): string | null {
  const { name, baseUrl, model, capabilities = {}, maxOutputTokens = 1 } = row;
  const unknown = Object.keys(row).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) return `${unknown} is not known; known are ${[...FIELDS].join(', ')}`;
  if (typeof name !== 'string' || !NAME.test(name)) return 'name must be of a-z, 0-9 and -, at most 40';
  if (taken.has(name)) return `the name ${name} is taken`;
  if (typeof baseUrl !== 'string' || !/^https?:\/\//.test(baseUrl)) return 'baseUrl must be an http or https address';
  if (typeof model !== 'string' || model === '') return 'model must say which one is asked by default';
  for (const field of ['apiKey', 'embeddingModel']) {
    if (row[field] !== undefined && typeof row[field] !== 'string') return `${field} must be a text`;
  }
  if (!Number.isInteger(maxOutputTokens) || Number(maxOutputTokens) < 1)
    return 'maxOutputTokens must be a whole number';
  if (!isJsonObject(capabilities)) return 'capabilities must be an object';
  const strange = Object.keys(capabilities).find(
    (one) => !Object.hasOwn(NO_CAPABILITIES satisfies ModelCapabilities, one),
  );
  return strange === undefined
    ? null
    : `capabilities.${strange} is not known; known are ${Object.keys(NO_CAPABILITIES).join(', ')}`;
}
