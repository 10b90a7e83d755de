import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { type Contestants, inTurn, withContestants } from './contestants.ts';
import { trivialActivities } from './engine.ts';
import { type BenchResult, judged, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const ITEMS = Number(process.env['BENCH_ITEMS'] ?? 5_000);
const PAIRS = Number(process.env['BENCH_PAIRS'] ?? 8);
const CHUNK = 50;
const WINDOW = 10;

/** A map node against what a person would write for it: a window of child workflows that slides over the chunks. */
export async function map(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const servers = await startBenchServers({ temporal: true });
  try {
    return await withContestants(servers, trivialActivities, measure);
  } finally {
    await servers.stop();
  }
}

async function measure({ interpreted, byHand }: Contestants): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const [what, body] of [
    ['computed', { type: 'transform', config: { value: 'item * 2' } }],
    ['an activity each', { type: 'http', config: { url: 'http://localhost/' } }],
  ] as const) {
    const items = what === 'computed' ? ITEMS : ITEMS / 5;
    const definition = mapOver(body);
    const input = { items: Array.from({ length: items }, (_, index) => index) };
    const left = () => interpreted(definition, input);
    const right = () => byHand('slidingWindow', [input.items, CHUNK, WINDOW, body.type === 'http']);
    await inTurn(1, left, right);
    const pairs = await inTurn(PAIRS, left, right);
    results.push(
      judged({
        name: `map of ${items} items, ${what}, against sliding-window children by hand; ratio: median of ${PAIRS} pairs`,
        unit: 'ms',
        value: median(pairs.map(([run]) => run.wallMs)),
        baseline: median(pairs.map(([, other]) => other.wallMs)),
        ratio: median(pairs.map(([run, other]) => run.wallMs / other.wallMs)),
        goal: { atMost: 1.05 },
      }),
    );
  }
  return results;
}

function mapOver(body: { type: string; config: { [name: string]: string } }): WorkflowDefinition {
  return {
    name: `bench-map-${body.type}`,
    nodes: [
      { id: 'each', type: 'map', config: { items: 'input.items', chunkSize: CHUNK, concurrency: WINDOW } },
      { id: 'one', parent: 'each', ...body },
    ],
    edges: [],
    output: 'nodes.each.output.results.size()',
  };
}
