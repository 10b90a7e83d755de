import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import { createInternalTokens, type Identity } from '../adapters/tokens/internal-token.ts';
import type { Settings } from '../config/settings.ts';
import { type Caller, UNKNOWN } from './access-policies.ts';
import { createCallers, IDENTITY_HEADER } from './callers.ts';

/** How long what the API said of a token is not asked again, and so how long a revoked one may still get in. */
const KNOWN_MS = 10_000;
/** How long it serves while the API cannot be asked. */
const STALE_MS = 60_000;
/** Shorter than a signature is valid. */
const SIGNED_MS = 20_000;
const MOST_KNOWN = 10_000;
const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/;
const ASK_MS = 5_000;

type Known = { identity: Identity; at: number; signed: Map<string, { token: string; at: number }>; caller: Caller };
/** Signs, for one subgraph, who asks. */
export type SignedIdentity = (subgraph: string) => Promise<string>;
export type Admission = {
  /** Undefined where nobody has to sign in. */
  identity: SignedIdentity | undefined;
  caller: Caller | undefined;
  tenantId?: string | undefined;
  /** Equal for callers who may see the same. */
  scope: string;
};
export type Authenticator = {
  /** Who asks with these headers from there. */
  whoAsks(request: Pick<IncomingMessage, 'headers' | 'socket'>): Promise<Admission | Refusal>;
  /** Finds out who asks; a request that may not go on has been answered when it gives false. */
  admits(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Who asks with a request that was admitted; nobody where nobody has to sign in. */
  admitted(request: IncomingMessage): Pick<Admission, 'identity' | 'caller' | 'tenantId'>;
  /** Headers by which the API knows that it is the gateway who asks. */
  asGateway(): Promise<Record<string, string>>;
  close(): Promise<void>;
};

const OPEN: Authenticator = {
  whoAsks: () => Promise.resolve({ identity: undefined, caller: undefined, scope: '' }),
  admits: () => Promise.resolve(true),
  admitted: () => ({ identity: undefined, caller: undefined }),
  asGateway: () => Promise.resolve({}),
  close: () => Promise.resolve(),
};

/** Finds out who asks by asking the API, which has the accounts. Where nobody has to sign in it lets everybody through. */
export function createAuthenticator(settings: Settings, log: Logger): Authenticator {
  if (settings.WEFT_AUTH === 'off') {
    if (LOOPBACK.test(settings.WEFT_HOST)) return OPEN;
    throw new Error(`WEFT_AUTH is off, which is for loopback addresses alone, and WEFT_HOST is ${settings.WEFT_HOST}`);
  }
  const tokens = createInternalTokens(settings.WEFT_SECRET_KEY);
  const url = new URL('/internal/identify', settings.WORKFLOW_API_URL);
  const pool = new Pool(url.origin, { connections: 8 });
  const known = new Map<string, Known>();
  const admitted = new WeakMap<IncomingMessage, Admission>();
  const callerOf = createCallers({ pool, tokens, log });
  const entryOf = (identity: Identity): Known => knownAs(identity, callerOf(identity));

  async function ask(token: string, address: string | null): Promise<Identity | Refusal> {
    const ours = await tokens.sign(NOBODY, 'access');
    const { statusCode, body } = await pool.request({
      path: url.pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', [IDENTITY_HEADER]: ours },
      body: JSON.stringify({ token, address }),
      signal: AbortSignal.timeout(ASK_MS),
    });
    const answer = (await body.json()) as Identity & { status?: number; detail?: string; code?: string; hint?: string };
    if (statusCode === 200) return answer;
    const { code = 'INTERNAL', detail = 'the API could not say who that is', hint } = answer;
    return { refused: statusCode, code, message: detail, ...(hint !== undefined && { hint }) };
  }

  async function identityOf(token: string, address: string | null): Promise<Known | Refusal> {
    const key = keyOf(token, address);
    const before = known.get(key);
    if (before && Date.now() - before.at < KNOWN_MS) return before;
    try {
      const identity = await ask(token, address);
      if ('refused' in identity) {
        known.delete(key);
        return identity;
      }
      return remember(known, key, entryOf(identity));
    } catch (error) {
      log.warn({ err: error }, 'the API could not be asked who somebody is');
      if (before && Date.now() - before.at < STALE_MS) return before;
      return { refused: 503, code: 'SUBGRAPH_UNAVAILABLE', message: 'The API cannot be asked who this is' };
    }
  }

  const signed = (entry: Known): SignedIdentity => {
    return async (subgraph) => {
      const before = entry.signed.get(subgraph);
      if (before && Date.now() - before.at < SIGNED_MS) return before.token;
      const token = await tokens.sign(entry.identity, `subgraph:${subgraph}`);
      entry.signed.set(subgraph, { token, at: Date.now() });
      return token;
    };
  };

  async function whoAsks(request: Pick<IncomingMessage, 'headers' | 'socket'>): Promise<Admission | Refusal> {
    const address = addressOf(request);
    const token = bearerOf(request);
    if (token === undefined) return BAD_CREDENTIALS;
    const entry: Known | Refusal = token === null ? entryOf({ ...NOBODY, address }) : await identityOf(token, address);
    if ('refused' in entry) return entry;
    const { caller, identity } = entry;
    return { identity: signed(entry), caller, tenantId: identity.tenantId, scope: keyOf(token ?? '', address) };
  }

  return {
    whoAsks,
    async admits(request, response) {
      const admission = await whoAsks(request);
      if ('refused' in admission) return refuse(response, admission);
      admitted.set(request, admission);
      return true;
    },
    admitted: (request) => admitted.get(request) ?? { identity: undefined, caller: UNKNOWN },
    asGateway: async () => ({ [IDENTITY_HEADER]: await tokens.sign(NOBODY, 'access') }),
    close: () => pool.close(),
  };
}

const keyOf = (token: string, address: string | null): string =>
  createHash('sha256').update(`${address} ${token}`).digest('base64');

export type Refusal = { refused: number; code: string; message: string; hint?: string };

const NOBODY: Identity = {
  ...{ tenantId: 'default', subject: null, userId: null, kind: 'NOBODY', roles: [], permissions: [] },
  ...{ sessionId: null, keyId: null, mustChangePassword: false, address: null },
};
const BAD_CREDENTIALS: Refusal = {
  refused: 401,
  code: 'UNAUTHENTICATED',
  message: 'Sign in first: `Authorization` must be `Bearer ` and a token',
};

const knownAs = (identity: Identity, caller: Caller): Known => ({
  ...{ identity, caller, at: Date.now() },
  signed: new Map(),
});

function remember(known: Map<string, Known>, key: string, entry: Known): Known {
  known.delete(key);
  known.set(key, entry);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value as string);
  return entry;
}

function refuse(response: ServerResponse, { refused, code, message, hint }: Refusal): false {
  if (refused === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  const body = { errors: [{ message, extensions: { code, ...(hint !== undefined && { hint }) } }] };
  response.writeHead(refused, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
  return false;
}

/** Null without credentials, undefined for what is no bearer token. */
function bearerOf(request: Pick<IncomingMessage, 'headers'>): string | null | undefined {
  const given = request.headers.authorization;
  return given === undefined ? null : /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(given)?.[1];
}

const addressOf = (request: Pick<IncomingMessage, 'socket'>): string | null =>
  request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? null;
