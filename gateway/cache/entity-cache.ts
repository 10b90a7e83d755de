import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CachePolicy } from './cache-policy.ts';
import { recentChanges } from './recent-changes.ts';

/** Whom kept answers are for. */
export type CacheScopes = {
  tenantId: string;
  /** Equal for callers of one tenant who may see the same. */
  shared: string;
  /** Of one caller; null where nobody has signed in. */
  own: string | null;
};

export type EntityFetch = {
  scopes: CacheScopes;
  /** Everything but the representation that an entity depends on: the subgraph, the selection, the variables. */
  asked: string;
};

export type FoundEntity = { text: string; policy: CachePolicy };
export type KeptEntity = { representation: string; text: string };

/** Entities as subgraphs answered them, for as long as they said, or until an event says that they have changed. */
export type EntityCache = {
  find: (fetch: EntityFetch, representation: string) => FoundEntity | undefined;
  /** Taken before a fetch: what changes after it is not kept. */
  moment: () => number;
  keep: (fetch: EntityFetch, entities: readonly KeptEntity[], policy: CachePolicy, since: number) => void;
  /** An entity of a tenant has changed. */
  purge: (tenantId: string, typename: string, id: string) => void;
  /** Anything may have changed. */
  clear: () => void;
  figures: () => CacheFigures;
};

export type CacheFigures = { entities: number; bytes: number; found: number; missed: number; purged: number };

type Entry = { text: string; expires: number; private: boolean; tag: string | null };

const MOST_CHANGES = 10_000;
const BYTES_PER_CHARACTER = 2;
const OVERHEAD_BYTES = 200;

export function createEntityCache(
  maxBytes: number,
  /** Called once, when there is something to keep. */
  onFirst: () => void = () => {},
  now: () => number = Date.now,
): EntityCache {
  const byTag = new Map<string, Set<string>>();
  const changes = recentChanges(MOST_CHANGES);
  let isFirst = true;
  const counts = { found: 0, missed: 0, purged: 0 };
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ text, tag }, key) =>
      BYTES_PER_CHARACTER * (text.length + key.length + (tag?.length ?? 0)) + OVERHEAD_BYTES,
    dispose({ tag }, key, reason) {
      if (tag === null || reason === 'set') return;
      const keys = byTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) byTag.delete(tag);
    },
  });

  function live(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.expires > now()) return entry;
    entries.delete(key);
    return undefined;
  }

  return {
    find({ scopes: { shared, own }, asked }, representation) {
      const entry =
        live(keyOf('shared', shared, asked, representation)) ??
        (own === null ? undefined : live(keyOf('own', own, asked, representation)));
      counts[entry === undefined ? 'missed' : 'found'] += 1;
      if (entry === undefined) return undefined;
      const maxAge = Math.floor((entry.expires - now()) / 1000);
      return { text: entry.text, policy: { maxAge, private: entry.private } };
    },
    moment: changes.moment,
    keep({ scopes, asked }, entities, policy, since) {
      const scope = policy.private ? scopes.own : scopes.shared;
      if (policy.maxAge <= 0 || scope === null) return;
      if (isFirst) onFirst();
      isFirst = false;
      const expires = now() + policy.maxAge * 1000;
      for (const { representation, text } of entities) {
        const tag = tagOf(scopes.tenantId, representation);
        if (changes.since(since, tag)) continue;
        const key = keyOf(policy.private ? 'own' : 'shared', scope, asked, representation);
        entries.set(key, { text, expires, private: policy.private, tag });
        if (tag !== null && entries.has(key)) byTag.set(tag, (byTag.get(tag) ?? new Set()).add(key));
      }
    },
    purge(tenantId, typename, id) {
      const tag = tagFor(tenantId, typename, id);
      changes.add(tag);
      const keys = [...(byTag.get(tag) ?? [])];
      for (const key of keys) entries.delete(key);
      counts.purged += keys.length;
    },
    clear() {
      changes.all();
      counts.purged += entries.size;
      entries.clear();
    },
    figures: () => ({ entities: entries.size, bytes: entries.calculatedSize, ...counts }),
  };
}

/** `asked` is the same for all entities of a fetch. */
const keyOf = (kind: string, scope: string, asked: string, representation: string): string =>
  `${kind} ${scope} ${asked} ${representation}`;

export const askedHash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\0')).digest('base64');

const tagFor = (tenantId: string, typename: string, id: string): string => JSON.stringify([tenantId, typename, id]);

/** An entity that is known by an `id` can be purged; others live as long as they may. */
function tagOf(tenantId: string, representation: string): string | null {
  const { __typename, id } = JSON.parse(representation) as { __typename?: unknown; id?: unknown };
  if (typeof __typename !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return null;
  return tagFor(tenantId, __typename, String(id));
}
