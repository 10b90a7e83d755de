import { createHash } from 'node:crypto';
import type pg from 'pg';
import { Registry } from 'prom-client';
import { createCompiledDefinitions } from '../adapters/postgres/compiled-definitions.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { loadRunFeed, type RunFeed } from '../adapters/postgres/run-feed.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { DEFAULT_TENANT, definitionHash, runId, type TenantId, workflowId } from '../domain/identifiers.ts';
import type { JsonObject } from '../domain/json.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { RunEvent } from '../domain/runs/run-event.ts';
import { simulate } from '../domain/runs/simulate.ts';
import { createProjectorMetrics } from '../workers/projector-metrics.ts';
import { createProjectorWriter } from '../workers/projector-writer.ts';
import { RANDOM_INPUT, type RandomRun } from './random-definition.ts';
import { uniqueName } from './servers.ts';

type FeedEvent = { version: number; type: string; occurredAt: Date; payload: JsonObject };
export type StoreRun = {
  tenantId?: TenantId;
  input?: JsonObject;
  labels?: Record<string, string>;
  subject?: string | null;
  cutEvery?: number;
};

/** Stores what the simulator makes of a run as the projector stores what it reads from Temporal. Gives the run's id. */
export async function storeRun(
  pool: pg.Pool,
  { definition, outcomeOf }: RandomRun,
  { tenantId = DEFAULT_TENANT, input = RANDOM_INPUT, labels = {}, subject = null, cutEvery = 1_000 }: StoreRun = {},
): Promise<string> {
  const id = runId(uniqueName('run'));
  const hash = definitionHash(createHash('sha256').update(canonicalJson(definition)).digest('hex'));
  const { version } = await publishDefinition(pool, { tenantId, hash, definition });
  const compiled = await createCompiledDefinitions(pool).read(hash);
  const { events } = simulate(compiled, {
    input,
    results: (nodeId) => outcomeOf(nodeId),
    continueAsNew: (step) => step % cutEvery === 0,
  });
  await insertRun(pool, {
    ...{ id, tenantId, workflowId: workflowId(definition.name), version, definitionHash: hash, labels, subject },
    ...{ input, idempotencyKey: null, createdAt: new Date() },
  });
  const feed = (await loadRunFeed(pool, id, () => undefined)) as RunFeed;
  const writer = createProjectorWriter(pool, createProjectorMetrics(new Registry()));
  for (const [index, link] of linksOf(events).entries()) {
    await writer.write(feed, { temporalRunId: `link-${index}`, events: link, token: null, ended: true, late: false });
  }
  return id;
}

/** As Temporal's histories part them: each link but the first begins by saying that it continues another. */
function linksOf(events: readonly RunEvent[]): FeedEvent[][] {
  const links: FeedEvent[][] = [[]];
  for (const { type, at, ...payload } of events) {
    if (links.length > 1 && links.at(-1)?.length === 0) push(links, 'run.started', at, { input: null, continues: 'x' });
    push(links, type, at, payload as JsonObject);
    if (type === 'run.continued_as_new') links.push([]);
  }
  return links.filter((link) => link.length > 0);
}

function push(links: FeedEvent[][], type: string, at: number, payload: JsonObject): void {
  const link = links.at(-1) as FeedEvent[];
  link.push({ version: link.length + 1, type, occurredAt: new Date(at), payload });
}
