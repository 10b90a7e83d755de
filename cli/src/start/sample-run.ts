import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseText } from '../../../sdk/src/index.ts';
import type { GatewayClient } from '../gateway-client.ts';
import { type RunWarning, WARNING_FIELDS } from '../run-warnings.ts';

const SAMPLES = join(import.meta.dirname, '../../../samples');
const POLL_MS = 60;
const LONGEST_RUN_MS = 15 * 60_000;
const OPEN = ['PENDING', 'RUNNING', 'WAITING'];

export type SampleNode = {
  id: string;
  type: string;
  status: string;
  iteration: number;
  attempts: number;
  startedAt: string | null;
  closedAt: string | null;
};
export type SampleRun = {
  id: string;
  status: string;
  output: { brief?: string } | null;
  error: { code: string; message: string; nodeId: string | null; hint: string | null } | null;
  startedAt: string;
  closedAt: string | null;
  temporalUrl: string;
  warnings: RunWarning[];
  nodes: SampleNode[];
};

/** Publishes every sample; the same definition again stays the version it is. */
export async function publishSamples(gateway: GatewayClient): Promise<void> {
  const folder = join(SAMPLES, 'workflows');
  const files = (await readdir(folder)).filter((file) => /\.(json|yaml)$/.test(file));
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    const { value: definition } = parseText(text, file.endsWith('.json') ? 'json' : 'yaml');
    await gateway('mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id version } }', {
      definition,
    });
  }
}

/** Starts the brief over the sample document and gives the run's id. */
export async function startSampleRun(gateway: GatewayClient): Promise<string> {
  const document = await readFile(join(SAMPLES, 'documents/newton-opticks-queries.txt'), 'utf8');
  const answer = await gateway<{ executeWorkflow: { id: string } }>(
    'mutation ($input: JSON) { executeWorkflow(workflowId: "research-brief", input: $input) { id } }',
    {
      input: {
        title: 'Light and matter: the last queries of the Opticks',
        document,
        source: 'Isaac Newton, Opticks, fourth edition, London 1730, Queries 28 to 31',
      },
    },
  );
  return answer.executeWorkflow.id;
}

/** Follows a run until it is closed and hands over each state of it that is new. */
export async function followRun(
  gateway: GatewayClient,
  runId: string,
  onState: (run: SampleRun) => void,
  signal: AbortSignal,
): Promise<SampleRun> {
  const until = performance.now() + LONGEST_RUN_MS;
  for (;;) {
    signal.throwIfAborted();
    const { run } = await gateway<{ run: SampleRun }>(
      `query ($id: ID!) { run(id: $id) { id status output startedAt closedAt temporalUrl
        error { code message nodeId hint }
        warnings { ${WARNING_FIELDS} }
        nodes { id type status iteration attempts startedAt closedAt } } }`,
      { id: runId },
    );
    onState(run);
    if (!OPEN.includes(run.status)) return run;
    if (performance.now() > until) throw new Error(`Run ${runId} is still ${run.status}: ${run.temporalUrl}`);
    await sleep(POLL_MS, null, { signal });
  }
}

export async function countEvents(gateway: GatewayClient, runId: string): Promise<number> {
  const page = 1000;
  for (let count = 0, after = 0; ;) {
    const { run } = await gateway<{ run: { events: { id: number }[] } }>(
      'query ($id: ID!, $after: Int!, $first: Int!) { run(id: $id) { events(after: $after, first: $first) { id } } }',
      { id: runId, after, first: page },
    );
    count += run.events.length;
    if (run.events.length < page) return count;
    after = run.events.at(-1)?.id ?? after;
  }
}

export function nodeDurationMs({ startedAt, closedAt }: SampleNode): number | null {
  return startedAt === null || closedAt === null ? null : Date.parse(closedAt) - Date.parse(startedAt);
}

export function runDurationMs({ startedAt, closedAt }: SampleRun): number {
  return Date.parse(closedAt ?? startedAt) - Date.parse(startedAt);
}
