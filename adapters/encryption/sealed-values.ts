import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { isJsonObject, type Json } from '../../domain/json.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MARK = '$sealed:';
/** What an erased value is read as. */
export const ERASED = '[erased]';

export type ValueKey = { id: string; key: Buffer };

/** Fields of events below which everything is somebody's. What stands elsewhere (ids, types, times) says how a run went. */
const VALUES = new Set([
  ...[
    'input',
    'output',
    'outputs',
    'data',
    'value',
    'variables',
    'items',
    'item',
    'result',
    'comment',
    'reason',
    'message',
  ],
  ...['stack', 'cause', 'details', 'memo', 'header', 'failure', 'outcome', 'args', 'arguments', 'summary', 'patches'],
]);

/** With every text and number that is a value sealed by itself, so that the shape, and with it how the run went, stays readable. */
export function sealValues(payload: Json, key: ValueKey): Json {
  if (Array.isArray(payload)) return payload.map((item) => sealValues(item, key));
  if (!isJsonObject(payload)) return payload;
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [
      name,
      VALUES.has(name) ? sealAll(value, key) : sealValues(value, key),
    ]),
  );
}

function sealAll(value: Json, key: ValueKey): Json {
  if (typeof value === 'string' || typeof value === 'number') return seal(value, key);
  if (Array.isArray(value)) return value.map((item) => sealAll(item, key));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, sealAll(part, key)]));
}

function seal(value: string | number, { id, key }: ValueKey): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(id));
  const body = Buffer.concat([
    nonce,
    cipher.update(JSON.stringify(value), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `${MARK}${id}:${body.toString('base64url')}`;
}

/** The keys that values need. */
export function keysIn(payloads: readonly Json[]): Set<string> {
  const found = new Set<string>();
  const look = (value: Json): void => {
    if (typeof value === 'string') {
      const id = keyOf(value);
      if (id !== null) found.add(id);
    } else if (Array.isArray(value)) value.forEach(look);
    else if (isJsonObject(value)) Object.values(value).forEach(look);
  };
  payloads.forEach(look);
  return found;
}

/** `keyOf`: null for a key that was erased, undefined for one that never was, as in a text that only looks sealed. */
export function openValues(value: Json, keyFor: (id: string) => Buffer | null | undefined): Json {
  if (typeof value === 'string') {
    const id = keyOf(value);
    const key = id === null ? undefined : keyFor(id);
    if (id === null || key === undefined) return value;
    return key === null ? ERASED : open(value, { id, key });
  }
  if (Array.isArray(value)) return value.map((item) => openValues(item, keyFor));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, openValues(part, keyFor)]));
}

function keyOf(text: string): string | null {
  return text.startsWith(MARK) ? text.slice(MARK.length, text.indexOf(':', MARK.length)) : null;
}

/** A text that was not made by `seal` stays as it is. */
function open(text: string, { id, key }: ValueKey): Json {
  const body = Buffer.from(text.slice(MARK.length + id.length + 1), 'base64url');
  if (body.length < NONCE_BYTES + TAG_BYTES) return text;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(id))
      .setAuthTag(body.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return JSON.parse(plain.toString()) as Json;
  } catch {
    return text;
  }
}
