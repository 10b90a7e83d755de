import { type BenchResult, compared } from './report.ts';
import { fire, latencies, type Shots } from './rest/fire.ts';
import { openRestSite } from './rest/rest-site.ts';

/** What the original says of itself, and the load that it says it of. */
const CLAIM = { perSecond: 15_000, average: 45, p95: 120, p99: 300, failedShare: 0.0001 };
const USERS = 100;
const REQUESTS = 10_000;
/** Each is a run of its own, with a row, a Temporal workflow and its history. */
const STARTS = Number(process.env['BENCH_STARTS'] ?? REQUESTS);

/** 100 users, 10,000 requests, at each door of ours. */
export async function load(): Promise<BenchResult[]> {
  const site = await openRestSite();
  try {
    const api = `http://127.0.0.1:${site.api.port}`;
    const graph = `http://127.0.0.1:${site.gateway.port}/graphql`;
    const query = JSON.stringify({ query: `{ run(id: "${site.runId}") { id status } }` });
    const { token } = site;
    const of = (path: string) => ({ url: api + path, token, pids: [site.api.pid] });
    const results: BenchResult[] = [];
    const measure = async (name: string, target: Parameters<typeof fire>[0], amount = REQUESTS) => {
      await fire(target, { connections: USERS, amount: Math.min(1_000, amount) });
      results.push(...beside(name, await fire(target, { connections: USERS, amount })));
    };
    await measure('GET /health', of('/health'));
    await measure('GET /workflows/{id}/status', of(`/workflows/${site.runId}/status`));
    await measure('query of a run at the gateway', { url: graph, token, pids: [site.gateway.pid], body: () => query });
    await measure(
      'POST /workflows/{id}/execute',
      { ...of('/workflows/bench-quick/execute'), body: (n) => JSON.stringify({ input: { n } }) },
      STARTS,
    );
    return results;
  } finally {
    await site.stop();
  }
}

function beside(name: string, shots: Shots): BenchResult[] {
  const { average, p95, p99 } = latencies(shots);
  const slower = (what: string, value: number, baseline: number) =>
    compared({ name: `${name}: ${what}`, unit: 'ms', value, baseline, goal: { atMost: 1 } });
  return [
    compared({
      ...{ name: `${name}: requests`, unit: '/s', value: shots.perSecond, baseline: CLAIM.perSecond },
      goal: { atLeast: 1 },
    }),
    slower('average', average, CLAIM.average),
    slower('95%', p95, CLAIM.p95),
    slower('99%', p99, CLAIM.p99),
    compared({
      ...{ name: `${name}: failed`, unit: '', value: shots.failed / REQUESTS, baseline: CLAIM.failedShare },
      goal: { atMost: 1 },
    }),
  ];
}
