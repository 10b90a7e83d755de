import { relative } from 'node:path';
import type { Settings } from '../../../config/settings.ts';
import type { SampleRun } from './sample-run.ts';
import type { RunningServices } from './start-services.ts';

export type RunSummary = { run: SampleRun; events: number; durationMs: number };

/** What the sample gave. */
export function describeRun({ run, events, durationMs }: RunSummary, readyMs: number): string {
  const brief = run.output?.brief?.trim() ?? JSON.stringify(run.output, null, 2);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `\n${brief}\n\nRun ${run.id} completed in ${seconds(durationMs)}; ${events} events stored; services ready in ${seconds(readyMs)}\n`;
}

/** Where to look. */
export function describeAddresses(
  settings: Settings,
  dataDir: string,
  services: RunningServices,
  run: SampleRun,
): string {
  const folder = shortPath(dataDir);
  const rows = [
    ['GraphQL', `${services.graphqlUrl} (explorer: npm run weft -- explorer)`],
    ['Signed in', describeAccess(settings)],
    ['Temporal Web UI', run.temporalUrl],
    ['Metrics', Object.values(services.metricsUrls).join('  ')],
    ['Data', `${folder} (logs in ${folder}/logs)`],
    ['Model provider', describeProvider(settings)],
    ['Next', 'npm run weft -- doctor'],
  ] as const;
  return `\n${rows.map(([name, value]) => `  ${name.padEnd(16)} ${value}`).join('\n')}\n`;
}

function describeAccess({ WEFT_AUTH: auth }: Settings): string {
  return auth === 'off'
    ? 'nobody has to (WEFT_AUTH=off)'
    : 'weft commands in this folder; for curl: npm run --silent weft -- token';
}

function describeProvider(settings: Settings): string {
  const provider = settings.WEFT_MODEL_PROVIDER ?? (settings.OPENAI_API_KEY === null ? 'offline-extractive' : 'openai');
  return provider === 'openai'
    ? `openai (${settings.OPENAI_MODEL})`
    : `${provider} (set OPENAI_API_KEY for a generating model)`;
}

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}
