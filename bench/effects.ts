import { createEffectStore } from '../adapters/postgres/effect-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { type BenchResult, judged, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const CALLS = Number(process.env['BENCH_CALLS'] ?? 3_000);

/** What the ledger adds to a call that changes something: an insert before it and an update after it. */
export async function effects(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: false });
  const pool = createPool(servers.settings.DATABASE_URL, 4, undefined, 'owner');
  try {
    const ledger = createEffectStore(pool);
    const [ledgered, written]: [number[], number[]] = [[], []];
    await pool.query('CREATE TABLE two_writes (id integer PRIMARY KEY, done boolean NOT NULL)');
    for (let index = 0; index < CALLS + 200; index += 1) {
      const ours = await timed(async () => {
        const place = { runId: `run-${index}`, nodeId: 'pay', iteration: '1' };
        const call = { ...place, key: 'a'.repeat(64), kind: 'http', requestHash: 'b'.repeat(64), scheduledAt: index };
        const request = { method: 'POST', url: 'https://bank.test/pay', headers: ['authorization'] };
        await ledger.begin({ ...call, request }, { onUnknown: 'retry', keyOfChanged: '' });
        await ledger.finish(place, 1, { state: 'RECEIPT', receipt: { status: 200, body: { paid: true } } });
      });
      const least = await timed(async () => {
        await pool.query({ name: 'put', text: 'INSERT INTO two_writes VALUES ($1, false)', values: [index] });
        await pool.query({ name: 'set', text: 'UPDATE two_writes SET done = true WHERE id = $1', values: [index] });
      });
      if (index < 200) continue;
      ledgered.push(ours);
      written.push(least);
    }
    return [
      judged({
        name: `effect ledger a call, against the least insert and update; median of ${CALLS}`,
        unit: 'ms',
        value: median(ledgered),
        baseline: median(written),
        ratio: median(ledgered.map((ms, index) => ms / (written[index] as number))),
        goal: { atMost: 2 },
      }),
    ];
  } finally {
    await pool.end();
    await servers.stop();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
