import type { SecretBox } from './secret-box.ts';

type Secrets = Readonly<Record<string, string>>;
type Owner = { tenantId: string; id: string };

const contextOf = ({ tenantId, id }: Owner): string => `mcp-server/${tenantId}/${id}`;

/** Header values, or environment, of an MCP server for the database; null when there are none. */
export const sealMcpSecrets = (box: SecretBox, owner: Owner, secrets: Secrets): string | null =>
  Object.keys(secrets).length === 0 ? null : box.seal(JSON.stringify(secrets), contextOf(owner));

export const openMcpSecrets = (box: SecretBox, owner: Owner, sealed: string | null): Secrets =>
  sealed === null ? {} : (JSON.parse(box.open(sealed, contextOf(owner))) as Secrets);
