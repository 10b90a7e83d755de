import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { acceptRun, nameDigest } from '../adapters/postgres/accept-run.ts';
import { passAdmissions } from '../adapters/postgres/admission-pass.ts';
import { closeDropped } from '../adapters/postgres/close-unstarted.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { releaseLeases } from '../adapters/postgres/release-leases.ts';
import { inTransaction } from '../adapters/postgres/transaction.ts';
import { DEFAULT_TENANT, runId as asRunId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import { flowRequest } from '../domain/runs/flow-control/flow-request.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { definitionHash } from '../domain/identifiers.ts';
import { FLOWS, type FlowBoard, RATE } from './flow-model.ts';

/** The store as it is. Run ids are made unique, so that one database serves many boards one after the other. */
export async function postgresFlowBoard(pool: pg.Pool, prefix: string): Promise<FlowBoard> {
  const stored = (runId: string) => `${prefix}-${runId}`;
  const shown = (id: string) => id.slice(prefix.length + 1);
  const published = new Map(
    await Promise.all(
      Object.entries(FLOWS).map(async ([name, policies]) => {
        const definition: WorkflowDefinition = {
          name,
          nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }],
          edges: [],
          policies,
        };
        const hash = definitionHash(contentHash(canonicalJson(definition)));
        return [name, await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition })] as const;
      }),
    ),
  );
  const ids = async (query: string) =>
    (await pool.query<{ run_id: string }>(query)).rows.map((row) => shown(row.run_id));
  return {
    async arrive(runId, workflow, input, priority) {
      const definition = published.get(workflow);
      if (!definition) throw new Error(workflow);
      const flow = flowRequest(definition.definition.policies, { workflowId: workflow, input, priority });
      const record = {
        id: asRunId(stored(runId)),
        tenantId: DEFAULT_TENANT,
        workflowId: definition.workflowId,
        version: definition.version,
        definitionHash: definition.hash,
        input,
        idempotencyKey: null,
        createdAt: new Date(),
      };
      const { kind } = await acceptRun(pool, record, flow, {
        startAt: null,
        delayMs: 0,
        digest: '',
        traceparent: null,
      });
      return kind;
    },
    async pass() {
      const pass = await whenUnlocked(() => passAdmissions(pool, DEFAULT_TENANT, 100));
      for (const runId of pass.dropped) await closeDropped(pool, runId);
      return pass.admitted.map(shown);
    },
    crashedPass: () => passThatDies(pool),
    async close(runId) {
      await inTransaction(pool, async (client) => {
        await client.query(`UPDATE runs SET status = 'COMPLETED', closed_at = now() WHERE id = $1`, [stored(runId)]);
        await releaseLeases(client, [stored(runId)]);
      });
    },
    async leases() {
      const { rows } = await pool.query<{ run_id: string; name: string }>('SELECT run_id, name FROM run_leases');
      return rows.map((row) => ({ runId: shown(row.run_id), name: row.name }));
    },
    dropped: () => ids(`SELECT id AS run_id FROM runs WHERE status = 'CANCELLED' AND id LIKE '${prefix}-%'`),
    leaving: () => ids('SELECT run_id FROM run_leases WHERE leaving'),
    waiting: () => ids(`SELECT run_id FROM run_admissions WHERE state = 'WAITING'`),
    async starts() {
      const { rows } = await pool.query<{ at: number[] }>(
        `SELECT array_agg((extract(epoch FROM started_at) * 1000)::float8 ORDER BY started_at) AS at FROM rate_starts GROUP BY name`,
      );
      return rows.map(({ at }) => at);
    },
    nameOf: ({ name }) => nameDigest(name),
    rest: () => sleep(RATE.periodMs),
  };
}

/** Dies in the place of the commit, as by SIGKILL: the server rolls back. */
async function passThatDies(pool: pg.Pool): Promise<void> {
  const broken = new Error('killed');
  const connect = async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const release = client.release.bind(client);
    client.query = ((...args: unknown[]) => {
      if (args[0] === 'COMMIT') throw broken;
      return query(...args);
    }) as typeof client.query;
    client.release = (failure) => {
      client.query = query as typeof client.query;
      client.release = release;
      release(failure);
    };
    return client;
  };
  const ending = await whenUnlocked(() =>
    passAdmissions({ connect } as unknown as pg.Pool, DEFAULT_TENANT, 100).catch((error: unknown) => ({ error })),
  );
  if (!('error' in ending) || ending.error !== broken) throw new Error('a pass did not die', { cause: ending });
}

/** The server may still be ending the connection of a pass that died, and its lock with it. */
async function whenUnlocked<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    await sleep(5);
  }
  throw new Error('the lock of the tenant was not released');
}
