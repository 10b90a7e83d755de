import { readFile } from 'node:fs/promises';
import type { RunStartOptions } from '../flow-commands.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { UsageError } from '../usage-error.ts';
import { printJson } from './print-rows.ts';
import { RUN_VIEW, type RunView, statusOf } from './run-view.ts';

const START = `mutation ($workflowId: ID!, $input: JSON, $version: Int, $key: String, $priority: Int, $labels: JSON, $subject: String,
  $startAt: DateTime, $delayMs: Int, $waitMs: Int, $reuseFrom: ID, $reuse: Boolean) {
  executeWorkflow(workflowId: $workflowId, input: $input, version: $version, idempotencyKey: $key, priority: $priority,
    labels: $labels, subject: $subject, startAt: $startAt, delayMs: $delayMs, waitMs: $waitMs,
    reuseFrom: $reuseFrom, reuse: $reuse) { ${RUN_VIEW} }
}`;

/** Gives the exit code: 1 when the run is closed and not COMPLETED. */
export async function startRun(workflowId: string, options: RunStartOptions & { url: string }): Promise<number> {
  const { executeWorkflow: run } = await createGatewayClient(options.url)<{ executeWorkflow: RunView }>(START, {
    workflowId,
    input: await inputOf(options.input),
    version: options.version,
    key: options.key,
    priority: options.priority,
    labels: options.label,
    subject: options.subject,
    startAt: options.startAt,
    delayMs: options.delay,
    waitMs: options.wait,
    reuseFrom: options.reuseFrom,
    reuse: options.reuse,
  });
  if (options.json) printJson(run);
  else process.stdout.write(`${run.id}  ${statusOf(run)}\n`);
  if (!options.json && run.status === 'COMPLETED') process.stdout.write(`${JSON.stringify(run.output, null, 2)}\n`);
  return run.closedAt === null || run.status === 'COMPLETED' ? 0 : 1;
}

async function inputOf(text: string | undefined): Promise<unknown> {
  if (text === undefined) return undefined;
  const json = text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(
      `the input is not JSON: ${(error as Error).message}`,
      'Write --input \'{"name": "Ada"}\' or @file.',
    );
  }
}
