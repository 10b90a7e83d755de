import type { GraphQLDataSource } from '@apollo/gateway';
import { GraphQLError, OperationTypeNode, parse } from 'graphql';
import type { Dispatcher } from 'undici';
import type { Caller } from './access-policies.ts';
import type { SignedIdentity } from './authenticate.ts';
import { type CachePolicy, cachePolicy, UNCACHEABLE } from './cache/cache-policy.ts';
import { restrictPolicy } from './cache/restrict-policy.ts';
import { IDENTITY_HEADER } from './callers.ts';
import { DeadlineExceeded, postJson } from './execute/post-json.ts';
import { shareInFlight } from './execute/share-in-flight.ts';
import type { SubgraphAnswer, SubgraphSource } from './execute/subgraph-answer.ts';

export type SubgraphContext = {
  /** Headers that go on to every subgraph and change nothing of its answers. */
  forward: Record<string, string>;
  /** Signs for a subgraph who asks. */
  identity?: SignedIdentity | undefined;
  /** Who that is; undefined where nobody has to sign in. */
  caller?: Caller | undefined;
};

export type SubgraphOptions = {
  name: string;
  url: URL;
  pool: Dispatcher;
  timeoutMs: number;
  /** Whether equal queries of one identity that run at the same time are sent once. */
  shares: boolean;
  /** Called once a request, also for failed ones. */
  observe: (outcome: 'answered' | 'unavailable' | 'shared', seconds: number, cause?: unknown) => void;
};

/** Sends the gateway's fetches to one subgraph over kept-alive connections. */
export function createSubgraphSource(options: SubgraphOptions): SubgraphSource<SubgraphContext> {
  const { name, shares, observe } = options;
  const share = shareInFlight<Received>(() => observe('shared', 0));
  return async ({ kind, body }, { forward, identity }) => {
    const signed = identity ? await identity(name) : '';
    const headers = signed === '' ? forward : { ...forward, [IDENTITY_HEADER]: signed };
    const ask = () => send(options, body, headers);
    const received = await (shares && kind === OperationTypeNode.QUERY ? share(`${signed}\n${body}`, ask) : ask());
    return take(received);
  };
}

/** The same for the stock executor. */
export function asDataSource(source: SubgraphSource<SubgraphContext>): GraphQLDataSource {
  const kinds = new Map<string, OperationTypeNode>();
  return {
    async process(options) {
      const { request, context } = options;
      const { query = '', variables, operationName } = request;
      const kind = kinds.get(query) ?? operationKind(query);
      if (kinds.size < 1000) kinds.set(query, kind);
      const body = bodyOf({ query, variables, operationName });
      const answer = await source({ kind, body }, { forward: {}, ...(context as Partial<SubgraphContext>) });
      const { policy, ...rest } = answer;
      if ('incomingRequestContext' in options)
        restrict(
          options.incomingRequestContext.overallCachePolicy,
          policy,
          (context as Partial<SubgraphContext>).caller,
        );
      return rest as Awaited<ReturnType<GraphQLDataSource['process']>>;
    },
  };
}

type Overall = Parameters<typeof restrictPolicy>[0];

function restrict(overall: unknown, policy: CachePolicy | undefined, caller: Caller | undefined): void {
  restrictPolicy(overall as Overall, policy ?? UNCACHEABLE, caller);
}

function operationKind(query: string): OperationTypeNode {
  const [definition] = parse(query, { noLocation: true }).definitions;
  return definition !== undefined && 'operation' in definition ? definition.operation : OperationTypeNode.MUTATION;
}

function bodyOf(request: object): string {
  try {
    return JSON.stringify(request);
  } catch {
    throw new GraphQLError('The variables are nested too deeply', { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

async function send(options: SubgraphOptions, body: string, headers: Record<string, string>): Promise<Received> {
  const { pool, url, timeoutMs, observe } = options;
  const began = performance.now();
  try {
    const { status, text, cacheControl } = await postJson(pool, {
      path: url.pathname + url.search,
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body,
      timeoutMs,
    });
    const answer = readAnswer(status, text);
    observe('answered', (performance.now() - began) / 1000);
    return { text, answer, policy: cachePolicy(cacheControl) };
  } catch (error) {
    observe('unavailable', (performance.now() - began) / 1000, error);
    throw unavailable(options, error instanceof DeadlineExceeded);
  }
}

type Received = { text: string; answer: SubgraphAnswer | null; policy: CachePolicy };

/** Whoever takes an answer writes into it: each gets its own. */
function take(received: Received): SubgraphAnswer {
  const answer = received.answer ?? (JSON.parse(received.text) as SubgraphAnswer);
  received.answer = null;
  answer.policy = received.policy;
  return answer;
}

/** Any status may carry a GraphQL answer; anything else is no answer. */
function readAnswer(status: number, text: string): SubgraphAnswer {
  const answer: unknown = JSON.parse(text);
  if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer))
    return answer as SubgraphAnswer;
  throw new Error(`status ${status} without a GraphQL answer`);
}

function unavailable({ name, timeoutMs }: SubgraphOptions, late: boolean): GraphQLError {
  const what = late ? `did not answer within ${timeoutMs} ms` : 'cannot be reached';
  return new GraphQLError(`Subgraph ${name} ${what}`, {
    extensions: { code: 'SUBGRAPH_UNAVAILABLE', service: name, hint: 'Run `npm run weft -- doctor`.' },
  });
}
