import type { KeyOptions, Shared } from '../access-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { userId } from './user-command.ts';

type Key = {
  id: string;
  name: string;
  scopes: string[] | null;
  expiresAt: string;
  revokedAt: string | null;
  usedAt: string | null;
};

const VIEW = 'id name scopes expiresAt revokedAt usedAt';

export async function createKey(name: string, { url, user, scope, days, json }: KeyOptions): Promise<number> {
  const query = `mutation ($name: String!, $userId: ID, $scopes: [String!], $expiresInDays: Int) {
    createApiKey(name: $name, userId: $userId, scopes: $scopes, expiresInDays: $expiresInDays) { secret key { ${VIEW} } }
  }`;
  const owner = user === undefined ? undefined : await userId(url, user);
  const { createApiKey: made } = await createGatewayClient(url)<{ createApiKey: { secret: string; key: Key } }>(query, {
    ...{ name, userId: owner, scopes: scope, expiresInDays: days },
  });
  if (json) printJson({ ...made.key, secret: made.secret });
  else {
    printRows([
      ['key', made.key.id],
      ['secret', `${made.secret}  (not shown again)`],
      ['may', made.key.scopes?.join(' ') ?? 'whatever its user may'],
      ['until', made.key.expiresAt],
    ]);
  }
  return 0;
}

export async function listKeys({ url, json }: Shared): Promise<number> {
  const { apiKeys } = await createGatewayClient(url)<{ apiKeys: Key[] }>(`{ apiKeys { ${VIEW} } }`);
  if (json) printJson(apiKeys);
  else {
    const state = (key: Key) => (key.revokedAt ? 'revoked' : `until ${key.expiresAt}`);
    printRows(apiKeys.map((key) => [key.id, key.name, key.scopes?.join(' ') ?? 'all of its user', state(key)]));
  }
  return 0;
}

export async function revokeKey(id: string, { url, json }: Shared): Promise<number> {
  const query = `mutation ($id: ID!) { revokeApiKey(id: $id) { ${VIEW} } }`;
  const { revokeApiKey: key } = await createGatewayClient(url)<{ revokeApiKey: Key }>(query, { id });
  if (json) printJson(key);
  else process.stdout.write(`Key ${key.id} (${key.name}) is revoked\n`);
  return 0;
}
