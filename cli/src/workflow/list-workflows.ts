import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { Shared } from '../workflow-commands.ts';

const VIEW = 'id version kind description createdAt deprecation { at reason }';
type Workflow = {
  id: string;
  version: number;
  kind: string;
  description: string | null;
  createdAt: string;
  deprecation: { at: string; reason: string | null } | null;
};
type Page = { totalCount: number; edges: { node: Workflow }[] };

export async function listWorkflows(options: Shared & { name?: string; first: number }): Promise<number> {
  const { workflows } = await createGatewayClient(options.url)<{ workflows: Page }>(
    `query ($first: Int, $name: String) {
      workflows(first: $first, name: $name) { totalCount edges { node { ${VIEW} } } } }`,
    { first: options.first, name: options.name },
  );
  print(workflows, options);
  return 0;
}

function print({ edges, totalCount }: Page, { json }: Shared): void {
  const found = edges.map(({ node }) => node);
  if (json) return printJson(found);
  printRows([
    ['WORKFLOW', 'VERSION', 'KIND', 'PUBLISHED', ''],
    ...found.map((one) => [
      one.id,
      String(one.version),
      one.kind,
      one.createdAt,
      stateOf(one) || one.description || '',
    ]),
  ]);
  if (totalCount > found.length) process.stdout.write(`${totalCount} in all\n`);
}

function stateOf({ deprecation }: Workflow): string {
  if (deprecation === null) return '';
  return `deprecated since ${deprecation.at}${deprecation.reason === null ? '' : `: ${deprecation.reason}`}`;
}
