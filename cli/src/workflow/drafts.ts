import { readDefinitionFile } from '../definition-file.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { UsageError } from '../usage-error.ts';
import type { DraftOptions, Shared } from '../workflow-commands.ts';

const VIEW = `workflowId revision basedOnVersion outdated updatedBy updatedAt definition
  problems { code path nodeId message hint }`;
type Draft = {
  workflowId: string;
  revision: number;
  basedOnVersion: number | null;
  outdated: boolean;
  updatedBy: string | null;
  updatedAt: string;
  problems: { code: string; path: string; message: string; hint: string | null }[];
};

export async function saveDraft(file: string, { revision, ...options }: DraftOptions): Promise<number> {
  const { value, problems } = await readDefinitionFile(file);
  if (value === undefined) {
    const [first] = problems;
    throw new UsageError(`${file}:${first?.line}:${first?.column} ${first?.message}`, null);
  }
  const { saveDraft: draft } = await createGatewayClient(options.url)<{ saveDraft: Draft }>(
    `mutation ($definition: JSON!, $revision: Int) {
      saveDraft(definition: $definition, expectedRevision: $revision) { ${VIEW} } }`,
    { definition: value, revision },
  );
  print(draft, options);
  return 0;
}

export async function showDraft(workflowId: string, options: Shared): Promise<number> {
  const { draft } = await createGatewayClient(options.url)<{ draft: Draft | null }>(
    `query ($workflowId: ID!) { draft(workflowId: $workflowId) { ${VIEW} } }`,
    { workflowId },
  );
  if (draft === null)
    throw new UsageError(`There is no draft of ${workflowId}`, 'See them with: weft workflow draft list');
  print(draft, options);
  return 0;
}

export async function listDrafts({ url, json }: Shared): Promise<number> {
  const { drafts } = await createGatewayClient(url)<{ drafts: { edges: { node: Draft }[] } }>(
    `{ drafts(first: 100) { edges { node { ${VIEW} } } } }`,
  );
  const found = drafts.edges.map(({ node }) => node);
  if (json) printJson(found);
  else printRows([['DRAFT', 'REVISION', 'FROM', 'PROBLEMS', 'SAVED'], ...found.map(rowOf)]);
  return 0;
}

export async function publishDraft(workflowId: string, { revision, url, json }: DraftOptions): Promise<number> {
  const { publishDraft: published } = await createGatewayClient(url)<{
    publishDraft: { id: string; version: number };
  }>(
    `mutation ($workflowId: ID!, $revision: Int!) {
      publishDraft(workflowId: $workflowId, expectedRevision: $revision) { id version } }`,
    { workflowId, revision },
  );
  if (json) printJson(published);
  else process.stdout.write(`${published.id} v${published.version}\n`);
  return 0;
}

export async function discardDraft(workflowId: string, { revision, url, json }: DraftOptions): Promise<number> {
  const { discardDraft: discarded } = await createGatewayClient(url)<{ discardDraft: boolean }>(
    'mutation ($workflowId: ID!, $revision: Int!) { discardDraft(workflowId: $workflowId, expectedRevision: $revision) }',
    { workflowId, revision },
  );
  if (json) printJson(discarded);
  else process.stdout.write(discarded ? 'discarded\n' : `there is no draft of ${workflowId}\n`);
  return discarded ? 0 : 1;
}

const rowOf = (draft: Draft): string[] => [
  draft.workflowId,
  String(draft.revision),
  `${draft.basedOnVersion === null ? 'nothing' : `v${draft.basedOnVersion}`}${draft.outdated ? ' (outdated)' : ''}`,
  String(draft.problems.length),
  `${draft.updatedAt}${draft.updatedBy === null ? '' : ` by ${draft.updatedBy}`}`,
];

function print(draft: Draft, { json }: Shared): void {
  if (json) return printJson(draft);
  printRows([['DRAFT', 'REVISION', 'FROM', 'PROBLEMS', 'SAVED'], rowOf(draft)]);
  for (const { code, path, message, hint } of draft.problems) {
    process.stdout.write(`${code} ${message} [${path}]\n${hint === null ? '' : `  hint: ${hint}\n`}`);
  }
}
