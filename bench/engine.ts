import { DefaultLogger, Runtime } from '@temporalio/worker';
import { activityChain, transformGrid } from './engine-definitions.ts';
import { type Contestants, inTurn, withContestants } from './contestants.ts';
import { type BenchResult, compared, judged, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const CHAIN = 20;
const CHAIN_PAIRS = 80;
const GRID_PAIRS = 10;
/** Answers at once: what is measured is what is around it. */
export const trivialActivities = {
  http: ({ url }: { url: string }) => Promise.resolve({ status: 200, headers: {}, body: null, url }),
};

/** A definition against the same workflow written by hand: same server, same machine, runs taken in turn. */
export async function engine(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const servers = await startBenchServers({ temporal: true });
  try {
    return await withContestants(servers, trivialActivities, measure);
  } finally {
    await servers.stop();
  }
}

async function measure({ interpreted, byHand }: Contestants): Promise<BenchResult[]> {
  const chain = activityChain(CHAIN);
  const grid = transformGrid(20, 49);
  const runChain = () => interpreted(chain, null);
  const runByHand = () => byHand('handWrittenChain', [CHAIN]);
  await inTurn(3, runChain, runByHand);
  const chains = await inTurn(CHAIN_PAIRS, runChain, runByHand);
  const wall = (side: 0 | 1) => median(chains.map((pair) => pair[side].wallMs));
  const events = (side: 0 | 1) => median(chains.map((pair) => pair[side].events));
  const runGrid = () => interpreted(grid, { start: 1 });
  const runNothing = () => byHand('nothing', []);
  await inTurn(2, runGrid, runNothing);
  const grids = await inTurn(GRID_PAIRS, runGrid, runNothing);
  const gridMs = median(grids.map(([run]) => run.wallMs));
  const nodes = grid.nodes.length;
  return [
    judged({
      name: `${CHAIN}-node chain, wall; ratio: median of ${CHAIN_PAIRS} pairs`,
      unit: 'ms',
      value: wall(0),
      baseline: wall(1),
      ratio: median(chains.map(([run, other]) => run.wallMs / other.wallMs)),
      goal: { atMost: 1.05 },
    }),
    compared({
      name: `${CHAIN}-node chain, history`,
      unit: 'events',
      value: events(0),
      baseline: events(1),
      goal: { atMost: 1 },
    }),
    compared({
      name: `${nodes} transform nodes, history against an empty workflow`,
      unit: 'events',
      value: median(grids.map(([run]) => run.events)),
      baseline: median(grids.map(([, empty]) => empty.events)),
      goal: { atMost: 1 },
    }),
    compared({
      name: `${nodes} transform nodes against activities by hand`,
      unit: 'nodes/s',
      value: (nodes / gridMs) * 1000,
      baseline: (CHAIN / wall(1)) * 1000,
      goal: { atLeast: 100 },
    }),
  ];
}
