import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createToolActivities } from '../activities/tools/tool-activities.ts';
import { createHttpClient } from '../adapters/http/http-client.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../domain/runs/definition.ts';
import { noLedger } from '../tests/no-ledger.ts';
import { noRecorder } from '../tests/no-recorder.ts';
import { type Contestants, inTurn, withContestants } from './contestants.ts';
import { type BenchResult, judged, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const CHAIN = 10;
const PAIRS = Number(process.env['BENCH_PAIRS'] ?? 60);

/** Ten HTTP calls to a quick server, fused and one by one: the same definition but for one word, runs taken in turn. */
export async function fusion(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [servers, answering] = await Promise.all([startBenchServers({ temporal: true }), startAnswering()]);
  const client = createHttpClient({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 1_000_000 });
  try {
    const activities = createToolActivities({ client, effects: noLedger, events: noRecorder });
    return await withContestants(servers, activities, (contestants) => measure(contestants, answering.url));
  } finally {
    await servers.stop();
    answering.server.close();
    answering.server.closeAllConnections();
  }
}

async function measure({ interpreted }: Contestants, url: string): Promise<BenchResult[]> {
  const [fused, unfused] = [true, false].map((fuse) => callChain(url, fuse));
  const run = (definition: WorkflowDefinition | undefined) => () => interpreted(definition as WorkflowDefinition, null);
  await inTurn(3, run(fused), run(unfused));
  const pairs = await inTurn(PAIRS, run(fused), run(unfused));
  const rate = (side: 0 | 1) => (CHAIN * 1000) / median(pairs.map((pair) => pair[side].wallMs));
  const events = (side: 0 | 1) => median(pairs.map((pair) => pair[side].events));
  return [
    judged({
      name: `${CHAIN} quick HTTP nodes in a chain, fused against not; ratio: median of ${PAIRS} pairs`,
      unit: 'nodes/s',
      value: rate(0),
      baseline: rate(1),
      ratio: median(pairs.map(([left, right]) => right.wallMs / left.wallMs)),
      goal: { atLeast: 5 },
    }),
    judged({
      name: 'the same, history',
      unit: 'events',
      value: events(0),
      baseline: events(1),
      ratio: events(0) / events(1),
      goal: { atMost: 0.25 },
    }),
  ];
}

function callChain(url: string, fuse: boolean): WorkflowDefinition {
  const nodes = Array.from({ length: CHAIN }, (_, index): NodeDefinition => ({
    ...{ id: `n${index}`, type: 'http', fuse },
    config: { url: `${url}/${index}`, timeoutMs: 5_000 },
  }));
  const edges = nodes.slice(1).map((node, index): EdgeDefinition => ({ from: `n${index}`, to: node.id }));
  return { name: fuse ? 'bench-fused' : 'bench-unfused', nodes, edges, output: `nodes.n${CHAIN - 1}.output.status` };
}

async function startAnswering(): Promise<{ server: Server; url: string }> {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
