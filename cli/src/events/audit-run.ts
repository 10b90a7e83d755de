import { setTimeout as sleep } from 'node:timers/promises';
import { type LinkRow, listLinks } from '../../../adapters/postgres/event-links.ts';
import { readStream } from '../../../adapters/postgres/event-store.ts';
import { type AuditDifference, compareWithHistory } from '../../../domain/events/audit.ts';
import type { StoredEvent } from '../../../domain/events/stored-event.ts';
import type { connectTemporal } from '../../../temporal/client.ts';
import { nextTemporalRunId, ownTemporalRunId } from '../../../temporal/history-links.ts';
import type { DecodePayloads } from '../../../temporal/history-payloads.ts';
import { historyToEvents } from '../../../temporal/history-to-events.ts';
import type { TenantNamespaces } from '../../../temporal/tenant-namespaces.ts';
import { isClosedHistory, readWholeHistory } from '../../../temporal/whole-history.ts';
import type { EventDatabase } from './event-servers.ts';

export type AuditParts = {
  pool: EventDatabase;
  connection: Awaited<ReturnType<typeof connectTemporal>>;
  namespaces: TenantNamespaces;
  decode: DecodePayloads;
  /** How long the feed may lag behind what Temporal has. */
  patienceMs: number;
};

export type RunAudit = {
  runId: string;
  events: number;
  /** Temporal runs that the server no longer has: nothing to compare with. */
  gone: string[];
  differences: (AuditDifference & { temporalRunId: string })[];
};

/** Compares every link of a run with its history; a link that the store lacks is compared with nothing. */
export async function auditRun(parts: AuditParts, run: { tenantId: string; runId: string }): Promise<RunAudit> {
  const { pool, connection } = parts;
  const namespace = parts.namespaces.of(run.tenantId);
  const audit: RunAudit = { runId: run.runId, events: 0, gone: [], differences: [] };
  const newest = await readWholeHistory(connection, namespace, { workflowId: run.runId, temporalRunId: null });
  const known = await listLinks(pool, run.runId);
  const own = newest && ownTemporalRunId(newest);
  const due = [...known.map((link) => link.temporalRunId), ...(own ? [own.chainStart, own.temporalRunId] : [])];
  const seen = new Set<string>();
  for (let temporalRunId = due.shift(); temporalRunId !== undefined; temporalRunId = due.shift()) {
    if (seen.has(temporalRunId)) continue;
    seen.add(temporalRunId);
    const next = await auditLink(parts, run, temporalRunId, audit);
    if (next !== undefined) due.unshift(next);
  }
  return audit;
}

/** Gives the link that continues this one. */
async function auditLink(
  parts: AuditParts,
  run: { tenantId: string; runId: string },
  temporalRunId: string,
  audit: RunAudit,
): Promise<string | undefined> {
  const { connection, decode } = parts;
  const namespace = parts.namespaces.of(run.tenantId);
  const history = await readWholeHistory(connection, namespace, { workflowId: run.runId, temporalRunId });
  if (history === undefined) {
    audit.gone.push(temporalRunId);
    return undefined;
  }
  const next = nextTemporalRunId(history);
  const open = !isClosedHistory(history);
  const expected = await historyToEvents(history, new Map(), decode);
  const stored = await readStored(parts, run, temporalRunId, expected.length);
  const differences = compareWithHistory(stored, expected, { open });
  audit.events += expected.length;
  audit.differences.push(...differences.map((difference) => ({ temporalRunId, ...difference })));
  return next;
}

const PAGE = 2_000;
const LOOK_AGAIN_MS = 100;

/** Waits for the feed while the store has fewer events than the history had. */
async function readStored(
  { pool, patienceMs }: AuditParts,
  { tenantId, runId }: { tenantId: string; runId: string },
  temporalRunId: string,
  atLeast: number,
): Promise<StoredEvent[]> {
  for (const until = Date.now() + patienceMs; ; await sleep(LOOK_AGAIN_MS)) {
    const link = (await listLinks(pool, runId)).find((one: LinkRow) => one.temporalRunId === temporalRunId);
    if (link !== undefined && (link.version >= atLeast || Date.now() >= until)) {
      const stored: StoredEvent[] = [];
      for (let after = 0, size = PAGE; size === PAGE; after = stored.at(-1)?.version ?? after) {
        const page = await readStream(pool, { tenantId, streamId: link.streamId, after, first: PAGE });
        stored.push(...page);
        size = page.length;
      }
      return stored;
    }
    if (Date.now() >= until) return [];
  }
}
