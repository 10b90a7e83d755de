import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import proto, { type temporal } from '@temporalio/proto';
import { payloadHash } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { contentHash } from '../../temporal/content-hash.ts';

type History = temporal.api.history.v1.IHistory;

/** A run as it was recorded: the histories of its links, and of those of a child run, and what they refer to by hash. */
export type Recording = {
  workflowId: string;
  links: RecordedLink[];
  payloads: { [hash: string]: string };
  definitions?: { [hash: string]: WorkflowDefinition };
};
export type RecordedLink = { workflowId: string; history: JsonObject };

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
export const corpusFolder = (version: number): string => `${FOLDER}version-${version}`;

/** Interpreter versions of which there are recordings. */
export function recordedVersions(): number[] {
  return readdirSync(FOLDER)
    .map((name) => Number(/^version-(\d+)$/.exec(name)?.[1]))
    .filter((version) => !Number.isNaN(version))
    .sort((left, right) => left - right);
}

export function readCorpus(version: number): Recording[] {
  const folder = corpusFolder(version);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Recording);
}

const { History } = proto.temporal.api.history.v1;

/** Names of machines and processes say nothing to a replay. */
export function historyToJson(history: History): JsonObject {
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  return scrub(plain) as JsonObject;
}

export const historyOf = (json: JsonObject): History => History.fromObject(json);

function scrub(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\d+@.*$/, 'worker');
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'stackTrace')
      .map(([name, inner]) => [name, scrub(inner)]),
  );
}

/** The payloads of recordings, read only. */
export function storeOf(recordings: readonly Recording[]): PayloadStore {
  const payloads = new Map(recordings.flatMap((recording) => Object.entries(recording.payloads)));
  return {
    cipher: null,
    address: (bytes) => payloadHash(contentHash(bytes)),
    put: () => Promise.resolve(),
    get: (hashes) => {
      const found = hashes.flatMap((hash) => {
        const text = payloads.get(hash);
        return text === undefined ? [] : [[hash, new TextEncoder().encode(text)] as const];
      });
      return Promise.resolve(new Map(found));
    },
  };
}
