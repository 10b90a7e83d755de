import { createBudgetLedger } from '../adapters/postgres/budget-ledger.ts';
import { saveBudget } from '../adapters/postgres/budget-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { inTransaction } from '../adapters/postgres/transaction.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import { type BenchResult, compared } from './report.ts';
import { startBenchServers } from './servers.ts';

const CHECKS = Number(process.env['BENCH_CALLS'] ?? 4_000);
const AT_ONCE = 16;
const ROUNDS = 4;

/** Checks a second against one hot row, beside a bare conditional UPDATE of such a row, in turns. */
export async function budgets(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: false });
  const pool = createPool(servers.settings.DATABASE_URL, AT_ONCE, undefined, 'owner');
  try {
    const id = runId('bench-run');
    await insertRun(pool, {
      ...{ id, tenantId: DEFAULT_TENANT, workflowId: workflowId('bench'), version: 1, input: null },
      ...{ definitionHash: definitionHash('0'.repeat(64)), idempotencyKey: null, createdAt: new Date() },
    });
    await inTransaction(pool, (client) =>
      saveBudget(client, DEFAULT_TENANT, {
        ...{ id: 'bench', scope: 'TENANT', target: null, period: 'TOTAL', unit: 'TOKENS', limit: 1e15 },
        ...{ action: 'BLOCK', downgradeTo: null, warnAt: [], enabled: true },
      }),
    );
    await pool.query('CREATE TABLE bare (id integer PRIMARY KEY, used bigint NOT NULL, most bigint NOT NULL)');
    await pool.query('INSERT INTO bare VALUES (1, 0, 1000000000000000)');
    const ledger = createBudgetLedger(
      pool,
      { worker: 'bench', leaseMs: 600_000, onError: () => undefined },
      async () => 0,
    );
    const reserve = (index: number) =>
      ledger.reserve({
        ...{ callId: `call-${index}`, activity: `ask-${index}`, attempt: 1, runId: id, provider: 'lab', model: 'x' },
        amounts: { tokens: 10, microUsd: 1 },
      });
    const text = 'UPDATE bare SET used = used + $1 WHERE id = 1 AND used + $1 <= most';
    const update = () => pool.query({ name: 'bare', text, values: [10] });
    const [ours, bare]: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const share = round === 0 ? CHECKS / 10 : CHECKS / ROUNDS;
      const first = round * CHECKS;
      const checked = await perSecond(share, (index) => reserve(first + index));
      const updated = await perSecond(share, update);
      if (round === 0) continue;
      ours.push(checked);
      bare.push(updated);
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return [
      compared({
        name: `budget checks a second against a bare UPDATE of one row, ${AT_ONCE} at a time`,
        unit: '/s',
        value: mean(ours),
        baseline: mean(bare),
        goal: { atLeast: 0.5 },
      }),
    ];
  } finally {
    await pool.end();
    await servers.stop();
  }
}

async function perSecond(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await work((next += 1));
    }),
  );
  return (count / (performance.now() - begun)) * 1_000;
}
