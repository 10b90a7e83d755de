import { ClientCredentialsProvider, type OAuthClientProvider } from '@modelcontextprotocol/client';
import { OAUTH_SECRETS } from '../../domain/tools/mcp-server.ts';

type Credentials = { headers: Record<string, string>; authProvider: OAuthClientProvider | null };

/**
 * What is sent along with requests: headers as they are, and for OAuth 2.1 a client that gets itself tokens by its own credentials
 * (the grant `client_credentials`), where and how the server's metadata say; they live in this process alone.
 */
export function credentialsOf(secrets: Readonly<Record<string, string>>): Credentials {
  const names: readonly string[] = Object.values(OAUTH_SECRETS);
  const headers = Object.fromEntries(Object.entries(secrets).filter(([name]) => !names.includes(name)));
  const { [OAUTH_SECRETS.clientId]: clientId, [OAUTH_SECRETS.clientSecret]: clientSecret } = secrets;
  if (clientId === undefined || clientSecret === undefined) return { headers, authProvider: null };
  const { [OAUTH_SECRETS.scope]: scope, [OAUTH_SECRETS.issuer]: expectedIssuer } = secrets;
  const client = { clientId, clientSecret, clientName: 'weft', ...(scope === undefined ? {} : { scope }) };
  const authProvider =
    expectedIssuer === undefined
      ? new ClientCredentialsProvider(client)
      : new ClientCredentialsProvider({ ...client, expectedIssuer });
  return { headers, authProvider };
}
