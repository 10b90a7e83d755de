import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection } from '@temporalio/client';
import type pg from 'pg';

const CLI = join(import.meta.dirname, '../../cli/src/main.ts');
const CLOSE_MS = 180_000;

export type Verdict = {
  runs: number;
  events: number;
  /** Runs by what they came to. */
  statuses: Record<string, number>;
  /** Of every stored event, from its time in Temporal until it could be read. */
  lagMs: { p50: number; p95: number; p99: number; most: number };
  /** Executions that Temporal has and the store does not. */
  missing: string[];
  differences: unknown[];
  tampered: unknown[];
};

/** Ends what is still open, waits for the feed and compares everything with Temporal. */
export async function soakVerdict(
  pool: pg.Pool,
  connection: Connection,
  namespace: string,
  env: NodeJS.ProcessEnv,
): Promise<Verdict> {
  const client = new Client({ connection, namespace });
  await untilClosed(pool, client);
  const known = new Set((await pool.query<{ id: string }>('SELECT id FROM runs')).rows.map(({ id }) => id));
  const missing = new Set<string>();
  for await (const { workflowId } of client.workflow.list()) if (!known.has(workflowId)) missing.add(workflowId);
  const audit = await weft(env, 'audit', '--last', '1000000', '--json');
  const verified = await weft(env, 'verify', '--all', '--json');
  const { rows: statuses } = await pool.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM runs GROUP BY status ORDER BY status',
  );
  const { rows: lags } = await pool.query<{ lags: number[] }>(
    `SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP
       (ORDER BY extract(epoch FROM recorded_at - occurred_at) * 1000) AS lags
     FROM events JOIN event_streams USING (stream_key) WHERE run_id IS NOT NULL`,
  );
  const [p50 = 0, p95 = 0, p99 = 0, most = 0] = lags[0]?.lags ?? [];
  return {
    runs: audit.runs,
    events: audit.events,
    statuses: Object.fromEntries(statuses.map(({ status, count }) => [status, count])),
    lagMs: { p50, p95, p99, most },
    missing: [...missing],
    differences: audit.differences,
    tampered: verified.found,
  };
}

async function untilClosed(pool: pg.Pool, client: Client): Promise<void> {
  const begun = Date.now();
  for (; Date.now() - begun < CLOSE_MS; await sleep(2_000)) {
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM runs WHERE closed_at IS NULL');
    let open = 0;
    for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
      open += 1;
      if (Date.now() - begun > CLOSE_MS / 3)
        await client.workflow
          .getHandle(workflowId)
          .terminate('the soak is over')
          .catch(() => undefined);
    }
    if (rows.length === 0 && open === 0) return;
  }
}

function weft(env: NodeJS.ProcessEnv, ...words: string[]): Promise<any> {
  return new Promise((resolve, reject) => {
    const options = { env, maxBuffer: 256 * 1024 * 1024 };
    execFile(process.execPath, [CLI, 'events', ...words], options, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(`${String(error)} ${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });
}
