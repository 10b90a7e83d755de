import { startProcess } from '../tests/e2e/process.ts';
import { type BenchResult, judged, median } from './report.ts';
import { fire, type Shots } from './rest/fire.ts';
import { openRestSite } from './rest/rest-site.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6);
const CLIENTS = 50;

/** `GET /workflows/{id}/status` as it is served to somebody signed in, beside a bare Express route with the same answer. */
export async function rest(): Promise<BenchResult[]> {
  const site = await openRestSite();
  const bare = await startProcess('bench/rest/bare-express.ts', [], site.env);
  try {
    await site.settle();
    const path = `/workflows/${site.runId}/status`;
    const ours = { url: `http://127.0.0.1:${site.api.port}${path}`, pids: [site.api.pid], token: site.token };
    const theirs = { url: `http://127.0.0.1:${bare.port}${path}`, pids: [bare.pid] };
    await sameAnswer(ours.url, site.token, theirs.url);
    const shots: { ours: Shots[]; theirs: Shots[] } = { ours: [], theirs: [] };
    for (const target of [ours, theirs]) await fire(target, { connections: CLIENTS, seconds: 3 });
    for (let round = 0; round < ROUNDS; round += 1) {
      shots.theirs.push(await fire(theirs, { connections: CLIENTS, seconds: SECONDS }));
      shots.ours.push(await fire(ours, { connections: CLIENTS, seconds: SECONDS }));
    }
    const failed = [...shots.ours, ...shots.theirs].reduce((sum, one) => sum + one.failed, 0);
    if (failed > 0) throw new Error(`${failed} requests failed`);
    return [
      against('status of a run: requests', '/s', shots, ({ perSecond }) => perSecond, { atLeast: 0.8 }),
      against('status of a run: CPU of a request', 'ms', shots, ({ cpuMs }) => cpuMs, { atMost: 1.25 }),
    ];
  } finally {
    await bare.stop();
    await site.stop();
  }
}

function against(
  name: string,
  unit: string,
  { ours, theirs }: { ours: Shots[]; theirs: Shots[] },
  figure: (shots: Shots) => number,
  goal: { atLeast: number } | { atMost: number },
): BenchResult {
  const [value, baseline] = [median(ours.map(figure)), median(theirs.map(figure))];
  return judged({ name, unit, value, baseline, ratio: value / baseline, goal });
}

async function sameAnswer(ours: string, token: string, theirs: string): Promise<void> {
  const [left, right] = (await Promise.all([
    fetch(ours, { headers: { authorization: `Bearer ${token}` } }).then((response) => response.json()),
    fetch(theirs).then((response) => response.json()),
  ])) as Record<string, unknown>[];
  const names = (value: object | undefined) => Object.keys(value ?? {}).toSorted();
  if (JSON.stringify(names(left)) !== JSON.stringify(names(right)) || left?.['status'] !== right?.['status']) {
    throw new Error(`The answers differ: ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
  }
}
