import type { Logger } from 'pino';
import { request } from 'undici';
import { IDENTITY_HEADER } from './callers.ts';

export type SubgraphState = {
  status: 'healthy' | 'unhealthy';
  url: string;
  last_check: Date;
  response_time_ms: number;
};

export type SubgraphHealth = { read: () => Promise<Record<string, SubgraphState>> };

type Parts = {
  names: () => readonly string[];
  addressOf: (subgraph: string) => URL;
  /** Signs a question of the gateway's own; undefined where nobody has to sign in. */
  sign: ((subgraph: string) => Promise<string>) | undefined;
  log: Logger;
};

const ASK_MS = 2_000;
/** However often health is asked for, subgraphs are not asked more often. */
const FRESH_MS = 1_000;
const QUESTION = JSON.stringify({ query: '{ __typename }' });

/** Asks every subgraph whether it answers GraphQL. */
export function createSubgraphHealth({ names, addressOf, sign, log }: Parts): SubgraphHealth {
  let at = -Infinity;
  let last: Promise<Record<string, SubgraphState>> | undefined;

  async function ask(name: string): Promise<SubgraphState> {
    const url = addressOf(name);
    const began = performance.now();
    const answers = await answersGraphql(url, sign && (await sign(name))).catch((error: unknown) => {
      log.debug({ err: error, subgraph: name }, 'a subgraph does not answer');
      return false;
    });
    const spent = Math.round((performance.now() - began) * 10) / 10;
    const status = answers ? 'healthy' : 'unhealthy';
    return { status, url: url.href, last_check: new Date(), response_time_ms: spent };
  }

  return {
    read() {
      if (last !== undefined && performance.now() - at < FRESH_MS) return last;
      at = performance.now();
      last = Promise.all(names().map(async (name) => [name, await ask(name)] as const)).then(Object.fromEntries);
      return last;
    },
  };
}

async function answersGraphql(url: URL, identity: string | undefined): Promise<boolean> {
  const { body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(identity !== undefined && { [IDENTITY_HEADER]: identity }) },
    body: QUESTION,
    signal: AbortSignal.timeout(ASK_MS),
  });
  const answer = (await body.json()) as { data?: unknown; errors?: unknown } | null;
  return answer !== null && typeof answer === 'object' && ('data' in answer || 'errors' in answer);
}
