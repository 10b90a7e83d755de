import { createInterface } from 'node:readline/promises';
import type { LoginOptions, Shared } from '../access-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { ownRunFile } from './own-run-file.ts';
import { UsageError } from '../usage-error.ts';
import { credentialsOf, saveCredentials, tokenFor } from './credentials.ts';

type Tokens = { accessToken: string; refreshToken: string; expiresIn: number; mustChangePassword: boolean };

const LOG_IN = `mutation ($username: String!, $password: String!, $tenant: ID) {
  logIn(username: $username, password: $password, tenant: $tenant) {
    accessToken refreshToken expiresIn mustChangePassword
  }
}`;
const CHANGE =
  'mutation ($current: String!, $next: String!) { changePassword(current: $current, next: $next) { name } }';

export async function logIn(username: string, { url, tenant, newPassword, json }: LoginOptions): Promise<number> {
  const prompt = openPrompt();
  try {
    const password = await prompt('Password: ');
    const signIn = async (secret: string) =>
      (await createGatewayClient(url, null)<{ logIn: Tokens }>(LOG_IN, { username, password: secret, tenant })).logIn;
    let tokens = await signIn(password);
    if (tokens.mustChangePassword || newPassword) {
      const next = await prompt('New password (12 characters or more): ');
      await createGatewayClient(url, tokens.accessToken)(CHANGE, { current: password, next });
      tokens = await signIn(next);
    }
    saveCredentials(url, credentialsOf(tokens));
  } finally {
    prompt.close();
  }
  if (json) printJson({ name: username, url });
  else process.stdout.write(`Signed in at ${url} as ${username}\n`);
  return 0;
}

export async function logOut({ url, json }: Shared): Promise<number> {
  const { logOut: ended } = await createGatewayClient(url)<{ logOut: boolean }>('mutation { logOut }');
  saveCredentials(url, null);
  if (json) printJson({ ended });
  else process.stdout.write(ended ? 'Signed out\n' : 'There was no session\n');
  return 0;
}

export async function whoAmI({ url, json }: Shared): Promise<number> {
  const { me } = await createGatewayClient(url)<{
    me: { tenantId: string; name: string | null; roles: string[]; permissions: string[] };
  }>('{ me { tenantId name roles permissions } }');
  if (json) printJson(me);
  else {
    printRows([
      ['name', me.name ?? '(nobody has to sign in)'],
      ['tenant', me.tenantId],
      ['roles', me.roles.join(', ')],
      ['may', me.permissions.join(' ')],
    ]);
  }
  return 0;
}

export async function printToken({ url }: Shared): Promise<number> {
  const token = await tokenFor(url);
  if (token === undefined) throw new UsageError(`There is no token for ${url}`, 'Get one by: weft login <name>.');
  process.stdout.write(`${token}\n`);
  return 0;
}

/** In the fragment, which no browser sends to a server or keeps in a referrer. */
export async function printExplorer(): Promise<number> {
  const running = ownRunFile();
  if (!running?.graphqlUrl) throw new UsageError('Nothing runs in this folder', 'Start it with: npm start.');
  const token = running.operatorToken === undefined ? '' : `#token=${running.operatorToken}`;
  process.stdout.write(`${running.graphqlUrl}${token}\n`);
  return 0;
}

/** Asks on a terminal, without showing what is typed; otherwise takes lines of stdin. */
function openPrompt() {
  const terminal = process.stdin.isTTY;
  const input = createInterface({ input: process.stdin, output: terminal ? process.stderr : undefined, terminal });
  const lines = terminal ? null : input[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    if (lines) {
      const { value, done } = (await lines.next()) as { value?: string; done?: boolean };
      if (done || value === undefined) throw new UsageError('There is no further line on stdin for a password', null);
      return value;
    }
    const answer = input.question(question);
    (input as unknown as { _writeToOutput: (text: string) => void })._writeToOutput = () => undefined;
    const given = await answer;
    process.stderr.write('\n');
    return given;
  };
  return Object.assign(ask, { close: () => input.close() });
}
