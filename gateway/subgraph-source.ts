import type { GraphQLDataSource } from '@apollo/gateway';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Pool } from 'undici';
import { IDENTITY_HEADER, type SignedIdentity } from './authenticate.ts';

export type SubgraphContext = {
  /** Headers that go on to every subgraph. */
  forward: Record<string, string>;
  /** Signs for a subgraph who asks. */
  identity?: SignedIdentity | undefined;
};

export type SubgraphOptions = {
  name: string;
  url: URL;
  pool: Pool;
  timeoutMs: number;
  /** Called once a request, also for failed ones. */
  observe: (outcome: 'answered' | 'unavailable', seconds: number, cause?: unknown) => void;
};

type Answer = { data?: Record<string, unknown> | null; errors?: readonly GraphQLFormattedError[] };

/** Sends the gateway's fetches to one subgraph over kept-alive connections. */
export function createSubgraphSource(options: SubgraphOptions): GraphQLDataSource {
  return {
    async process({ request, context }) {
      const { query, variables, operationName } = request;
      const forward = await headersFor(options.name, context as Partial<SubgraphContext>);
      const body = bodyOf({ query, variables, operationName });
      const began = performance.now();
      const deadline = AbortSignal.timeout(options.timeoutMs);
      try {
        const answer = await send(options, body, forward, deadline);
        options.observe('answered', (performance.now() - began) / 1000);
        return answer;
      } catch (error) {
        options.observe('unavailable', (performance.now() - began) / 1000, error);
        throw unavailable(options, deadline.aborted);
      }
    },
  };
}

async function headersFor(subgraph: string, { forward = {}, identity }: Partial<SubgraphContext>) {
  return identity ? { ...forward, [IDENTITY_HEADER]: await identity(subgraph) } : forward;
}

function bodyOf(request: object): string {
  try {
    return JSON.stringify(request);
  } catch {
    throw new GraphQLError('The variables are nested too deeply', { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

async function send(
  { pool, url }: SubgraphOptions,
  body: string,
  forward: SubgraphContext['forward'],
  signal: AbortSignal,
): Promise<Answer> {
  const response = await pool.request({
    path: url.pathname + url.search,
    method: 'POST',
    headers: { ...forward, 'content-type': 'application/json', accept: 'application/json' },
    body,
    signal,
  });
  return readAnswer(response.statusCode, await response.body.text());
}

/** Any status may carry a GraphQL answer; anything else is no answer. */
function readAnswer(status: number, text: string): Answer {
  const answer: unknown = JSON.parse(text);
  if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer))
    return answer as Answer;
  throw new Error(`status ${status} without a GraphQL answer`);
}

function unavailable({ name, timeoutMs }: SubgraphOptions, late: boolean): GraphQLError {
  const what = late ? `did not answer within ${timeoutMs} ms` : 'cannot be reached';
  return new GraphQLError(`Subgraph ${name} ${what}`, {
    extensions: { code: 'SUBGRAPH_UNAVAILABLE', service: name, hint: 'Run `npm run weft -- doctor`.' },
  });
}
