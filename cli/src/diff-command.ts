import { existsSync } from 'node:fs';
import { type DefinitionDiff, describeDiff, diffDefinitions, type WorkflowDefinition } from '../../sdk/src/index.ts';
import { readValidDefinition } from './definition-file.ts';
import { createGatewayClient, type GatewayClient } from './gateway-client.ts';
import { UsageError } from './usage-error.ts';

export type DiffOptions = { json?: boolean; url: string };
type Source = { definition: WorkflowDefinition } | { workflowId: string; version?: number };

/** `weft diff`: 0 when the two are the same, 1 when they differ. */
export async function runDiff(before: string, after: string, { json, url }: DiffOptions): Promise<number> {
  const [left, right] = [await sourceOf(before), await sourceOf(after)];
  const diff =
    'definition' in left && 'definition' in right
      ? diffDefinitions(left.definition, right.definition)
      : await diffOnServer(createGatewayClient(url), left, right);
  if (json) process.stdout.write(`${JSON.stringify(diff)}\n`);
  else if (diff.same) process.stdout.write('The two are the same.\n');
  else process.stdout.write(`${describeDiff(diff).join('\n')}\n`);
  return diff.same ? 0 : 1;
}

/** A file, or the name of a published workflow, with or without a version. */
async function sourceOf(argument: string): Promise<Source> {
  const published = /^([a-z][a-z0-9-]*)(?:@(\d+))?$/.exec(argument);
  if (published && !existsSync(argument)) {
    const [, workflowId = '', version] = published;
    return version === undefined ? { workflowId } : { workflowId, version: Number(version) };
  }
  if (/^[^./]+@/.test(argument)) {
    throw new UsageError(`${argument} names no published workflow`, 'Write name@version, such as research-brief@2.');
  }
  return { definition: await readValidDefinition(argument) };
}

async function diffOnServer(gateway: GatewayClient, before: Source, after: Source): Promise<DefinitionDiff> {
  const { diffWorkflow } = await gateway<{ diffWorkflow: { diff: DefinitionDiff } }>(
    'query ($before: DefinitionSource!, $after: DefinitionSource!) { diffWorkflow(before: $before, after: $after) { diff } }',
    { before, after },
  );
  return diffWorkflow.diff;
}
