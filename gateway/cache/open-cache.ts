import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Pool } from 'undici';
import type { Settings } from '../../config/settings.ts';
import { type CacheFigures, createEntityCache, type EntityCache } from './entity-cache.ts';
import { type Change, followChanges } from './follow-changes.ts';

/** What entities are called whose events have these kinds. */
const TYPENAMES: Readonly<Record<string, string>> = { run: 'Run', definition: 'Workflow' };
const CHANGES_PATH = '/internal/changes';

export type OpenCacheParts = {
  settings: Pick<Settings, 'WEFT_GATEWAY_CACHE_BYTES' | 'WORKFLOW_API_URL'>;
  registry: Registry;
  log: Logger;
  /** Headers by which the API knows the gateway. */
  signed: () => Promise<Record<string, string>>;
};
export type OpenCache = { entities: EntityCache | null; close: () => Promise<void> };

/** The cache of entities, which follows the events of the API as soon as there is something to keep. */
export function openCache({ settings, registry, log, signed }: OpenCacheParts): OpenCache {
  const maxBytes = settings.WEFT_GATEWAY_CACHE_BYTES;
  if (maxBytes === 0) return { entities: null, close: () => Promise.resolve() };
  const closing = new AbortController();
  let following: Promise<void> | undefined;
  let pool: Pool | undefined;
  const onFirst = () => {
    pool = new Pool(new URL(settings.WORKFLOW_API_URL).origin, { connections: 1 });
    const onChange = (change: Change) => apply(change, entities);
    const onLost = (error: unknown) => log.warn({ err: error }, 'events are not heard of; kept entities are forgotten');
    const parts = { pool, path: CHANGES_PATH, headers: signed, onChange, onGap: () => entities.clear(), onLost };
    following = followChanges(parts, closing.signal);
  };
  const entities = createEntityCache(maxBytes, onFirst);
  registerMetrics(registry, entities.figures);
  return {
    entities,
    async close() {
      closing.abort();
      await following;
      await pool?.destroy();
    },
  };
}

function apply({ tenantId, streams }: Change, entities: EntityCache): void {
  for (const stream of streams) {
    const [kind = ''] = stream.split('/', 1);
    const typename = TYPENAMES[kind];
    const rest = stream.slice(kind.length + 1);
    if (typename !== undefined) entities.purge(tenantId, typename, kind === 'run' ? runIdOf(rest) : rest);
  }
}

/** Of a run's id and its id in Temporal. */
const runIdOf = (rest: string): string => rest.slice(0, rest.lastIndexOf('/'));

function registerMetrics(registry: Registry, figures: () => CacheFigures): void {
  const gauge = (name: string, help: string, value: (now: CacheFigures) => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(value(figures()));
      },
    });
  const counter = (name: string, help: string, value: (now: CacheFigures) => number) =>
    new Counter({
      ...{ name, help, registers: [registry] },
      collect() {
        this.reset();
        this.inc(value(figures()));
      },
    });
  gauge('weft_gateway_cache_entities', 'Entities of subgraphs that are kept.', ({ entities }) => entities);
  gauge('weft_gateway_cache_bytes', 'Memory that they take.', ({ bytes }) => bytes);
  counter('weft_gateway_cache_found_total', 'Entities that were not asked for again.', ({ found }) => found);
  counter('weft_gateway_cache_missed_total', 'Entities that were looked for and not kept.', ({ missed }) => missed);
  counter('weft_gateway_cache_purged_total', 'Kept entities that may have changed.', ({ purged }) => purged);
}
