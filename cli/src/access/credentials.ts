import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadSettings } from '../../../config/load.ts';
import { ownRunFile } from './own-run-file.ts';

export type Credentials = { accessToken: string; refreshToken: string; expiresAt: number };
type Saved = Record<string, Credentials>;

/** What `weft login` has kept, by address; readable by its owner alone. */
const file = (): string =>
  join(loadSettings().XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'weft', 'credentials.json');

/** Refreshed while it is still taken. */
const MARGIN_MS = 15_000;

/**
 * What to show at `url`: the token of WEFT_TOKEN, that of an earlier `weft login`, or the operator's of the `weft start` that runs
 * in this folder. Undefined where there is none.
 */
export async function tokenFor(url: string): Promise<string | undefined> {
  const { WEFT_TOKEN: given } = loadSettings();
  if (given !== null) return given;
  const saved = readSaved()[keyOf(url)];
  if (saved && saved.expiresAt - MARGIN_MS > Date.now()) return saved.accessToken;
  const refreshed = saved && (await refresh(url, saved.refreshToken));
  if (refreshed) return refreshed.accessToken;
  const running = ownRunFile();
  return running?.graphqlUrl === url ? running.operatorToken : undefined;
}

export function saveCredentials(url: string, credentials: Credentials | null): void {
  const saved = readSaved();
  if (credentials) saved[keyOf(url)] = credentials;
  else delete saved[keyOf(url)];
  mkdirSync(dirname(file()), { recursive: true, mode: 0o700 });
  writeFileSync(`${file()}.new`, JSON.stringify(saved, null, 2), { mode: 0o600 });
  renameSync(`${file()}.new`, file());
}

export const credentialsOf = (answer: {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}): Credentials => ({
  accessToken: answer.accessToken,
  refreshToken: answer.refreshToken,
  expiresAt: Date.now() + answer.expiresIn * 1000,
});

/** Undefined when it is not taken any more. */
async function refresh(url: string, refreshToken: string): Promise<Credentials | undefined> {
  const query = `mutation ($refreshToken: String!) {
    refreshTokens(refreshToken: $refreshToken) { accessToken refreshToken expiresIn }
  }`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { refreshToken } }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  const answer = (await response?.json().catch(() => undefined)) as Answer | undefined;
  const tokens = answer?.data?.refreshTokens;
  if (!tokens) return undefined;
  const credentials = credentialsOf(tokens);
  saveCredentials(url, credentials);
  return credentials;
}

type Answer = { data?: { refreshTokens?: { accessToken: string; refreshToken: string; expiresIn: number } } | null };

function readSaved(): Saved {
  try {
    return JSON.parse(readFileSync(file(), 'utf8')) as Saved;
  } catch {
    return {};
  }
}

const keyOf = (url: string): string => new URL(url).origin;
