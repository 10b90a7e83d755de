import type pg from 'pg';
import { isJsonObject, type Json, type JsonObject } from '../../../domain/json.ts';
import { SYSTEM_EVENTS } from '../../../domain/events/system-event.ts';
import type { ProjectedEvent, Projection } from './projection.ts';

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
  types: [...ACTS, ...SYSTEM_ACTS],
  apply,
};

async function apply(
  client: pg.PoolClient,
  events: readonly ProjectedEvent[],
  table: (name: string) => string,
): Promise<void> {
  if (events.length === 0) return;
  await client.query(
    `INSERT INTO ${table('audit_trail')} (tenant_id, position, occurred_at, action, actor, target, detail)
     SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::json[])`,
    [
      events.map(({ tenantId }) => tenantId),
      events.map(({ position }) => position),
      events.map(({ occurredAt }) => occurredAt),
      events.map(({ type }) => type),
      events.map(actorOf),
      events.map(targetOf),
      events.map(({ payload }) => JSON.stringify(detailOf(payload))),
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
