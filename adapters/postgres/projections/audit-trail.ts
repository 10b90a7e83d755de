import type pg from 'pg';
import { isJsonObject, type Json, type JsonObject } from '../../../domain/json.ts';
import { SYSTEM_EVENTS } from '../../../domain/events/system-event.ts';
import type { ProjectedEvent, Projection } from './projection.ts';

const STARTED = 'run.started';
/** What people do to runs. */
const ACTS = [
  'approval.decided',
  'run.paused',
  'run.resumed',
  'run.cancel_requested',
  'run.terminated',
  'node.retry_requested',
  'node.skip_requested',
  'variable.set',
];
/** Calls are the system's own doing. */
const SYSTEM_ACTS = Object.keys(SYSTEM_EVENTS).filter((type) => !/^(model|tool)\./.test(type));

export const AUDIT_TRAIL: Projection = {
  name: 'audit-trail',
  version: 1,
  meaning: 'Who did what, when: sign-ins and rights, definitions, triggers, and what people did to runs.',
  tables: ['audit_trail'],
  types: [STARTED, ...ACTS, ...SYSTEM_ACTS],
  apply,
};

async function apply(
  client: pg.PoolClient,
  events: readonly ProjectedEvent[],
  table: (name: string) => string,
): Promise<void> {
  const [starts, acts] = parted(events);
  await writeStarts(client, starts, table('audit_trail'));
  if (acts.length === 0) return;
  await client.query(
    `INSERT INTO ${table('audit_trail')} (tenant_id, position, occurred_at, action, actor, target, detail)
     SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::json[])`,
    [
      acts.map(({ tenantId }) => tenantId),
      acts.map(({ position }) => position),
      acts.map(({ occurredAt }) => occurredAt),
      acts.map(({ type }) => type),
      acts.map(actorOf),
      acts.map(targetOf),
      acts.map(({ payload }) => JSON.stringify(detailOf(payload))),
    ],
  );
}

/** A link that continues another one is no start. */
function parted(events: readonly ProjectedEvent[]): [ProjectedEvent[], ProjectedEvent[]] {
  const starts = events.filter(({ type, sequence }) => type === STARTED && sequence === 1);
  return [starts, events.filter(({ type }) => type !== STARTED)];
}

/** Runs that somebody started; those of triggers and of other runs are nobody's act. */
async function writeStarts(client: pg.PoolClient, starts: readonly ProjectedEvent[], table: string): Promise<void> {
  if (starts.length === 0) return;
  await client.query(
    `INSERT INTO ${table} (tenant_id, position, occurred_at, action, actor, target, detail)
     SELECT run.tenant_id, given.position, given.at, '${STARTED}', run.trigger_source, 'run/' || run.id,
            json_build_object('workflowId', run.workflow_id, 'version', coalesce(run.started_version, run.version))
     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[]) AS given(tenant_id, run_id, position, at)
     JOIN runs run ON run.id = given.run_id AND run.tenant_id = given.tenant_id AND run.trigger_kind = 'MANUAL'`,
    [
      starts.map(({ tenantId }) => tenantId),
      starts.map(({ correlationId }) => correlationId),
      starts.map(({ position }) => position),
      starts.map(({ occurredAt }) => occurredAt),
    ],
  );
}

function actorOf({ payload }: ProjectedEvent): string | null {
  if (!isJsonObject(payload)) return null;
  const who = payload['by'] ?? payload['decidedBy'] ?? null;
  return typeof who === 'string' ? who : null;
}

/** The run, or the stream of what it was done to: `definition/<workflow>`, `access/<user>`. */
function targetOf({ streamId, correlationId }: ProjectedEvent): string {
  return streamId.startsWith('run/') && correlationId !== null ? `run/${correlationId}` : streamId;
}

/** Values that people gave may be large, and are read with the event itself. */
function detailOf(payload: Json): JsonObject {
  if (!isJsonObject(payload)) return {};
  const left = Object.entries(payload).filter(([name]) => name !== 'by' && name !== 'decidedBy');
  return Object.fromEntries(left.map(([name, value]) => [name, JSON.stringify(value).length > 2_000 ? null : value]));
}
