import { createGatewayClient } from './gateway-client.ts';
import { UsageError } from './usage-error.ts';
import type { VersionsOptions } from './version-commands.ts';

type Version = { version: number; createdAt: string; deprecation: { at: string; reason: string | null } | null };
type Answer = { workflow: { versions: { edges: { node: Version }[] } } | null };

const LIST = `query ($workflow: ID!) { workflow(id: $workflow) {
  versions(first: 100) { edges { node { version createdAt deprecation { at reason } } } } } }`;

/** `weft versions`: the newest 100, after what is to be changed of them. */
export async function runVersions(workflow: string, options: VersionsOptions): Promise<number> {
  const { deprecate, undeprecate, reason = null, json, url } = options;
  const gateway = createGatewayClient(url);
  if (deprecate !== undefined) {
    const mutation = `mutation ($workflow: ID!, $version: Int!, $reason: String) {
      deprecateVersion(workflowId: $workflow, version: $version, reason: $reason) { version } }`;
    await gateway(mutation, { workflow, version: deprecate, reason });
  }
  if (undeprecate !== undefined) {
    const mutation = `mutation ($workflow: ID!, $version: Int!) {
      undeprecateVersion(workflowId: $workflow, version: $version) { version } }`;
    await gateway(mutation, { workflow, version: undeprecate });
  }
  const { workflow: found } = await gateway<Answer>(LIST, { workflow });
  if (found === null)
    throw new UsageError(`There is no workflow ${workflow}`, 'Publish it first: weft publish <file>.');
  const versions = found.versions.edges.map(({ node }) => node);
  process.stdout.write(json ? `${JSON.stringify(versions)}\n` : `${versions.map(describe).join('\n')}\n`);
  return 0;
}

function describe({ version, createdAt, deprecation }: Version): string {
  const note =
    deprecation === null ? '' : `  deprecated${deprecation.reason === null ? '' : `: ${deprecation.reason}`}`;
  return `${String(version).padStart(4)}  ${createdAt}${note}`;
}
