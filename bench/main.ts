import { parseArgs } from 'node:util';
import { type BenchResult, table } from './report.ts';

const SUITES: Record<string, () => Promise<BenchResult[]>> = {
  engine: async () => (await import('./engine.ts')).engine(),
  feed: async () => (await import('./feed.ts')).feed(),
  append: async () => (await import('./append.ts')).append(),
  fusion: async () => (await import('./fusion.ts')).fusion(),
  map: async () => (await import('./map.ts')).map(),
  effects: async () => (await import('./effects.ts')).effects(),
  waiting: async () => (await import('./waiting.ts')).waiting(),
  soak: async () => (await import('./soak.ts')).soak(),
  gateway: async () => (await import('./gateway.ts')).gateway(),
  'gateway-live': async () => (await import('./gateway-live.ts')).gatewayLive(),
  projections: async () => (await import('./projections.ts')).projections(),
  models: async () => (await import('./models.ts')).models(),
  budgets: async () => (await import('./budgets.ts')).budgets(),
  mcp: async () => (await import('./mcp.ts')).mcp(),
  rest: async () => (await import('./rest.ts')).rest(),
  load: async () => (await import('./load.ts')).load(),
  peers: async () => (await import('./peers.ts')).peers(),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const suite = positionals[0] ?? '';
const run = SUITES[suite];
if (run === undefined) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(SUITES).join('|')} [--json]\n`);
  process.exit(2);
}
const results = await run();
process.stdout.write(values.json ? `${JSON.stringify({ suite, results })}\n` : `${table(suite, results)}\n`);
process.exit(0);
