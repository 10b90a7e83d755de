import type { GraphQLDataSource } from '@apollo/gateway';
import { GraphQLError, OperationTypeNode, parse } from 'graphql';
import type { Dispatcher } from 'undici';
import type { SignedIdentity } from './authenticate.ts';
import { type CachePolicy, cachePolicy, UNCACHEABLE } from './cache/cache-policy.ts';
import { restrictPolicy } from './cache/restrict-policy.ts';
import { IDENTITY_HEADER } from './callers.ts';
import type { Caller } from './access-policies.ts';
import type { PlanContext } from './execute/plan-gateway.ts';
import { postJson } from './execute/post-json.ts';
import {
  type Deadline,
  guardedSend,
  type Guards,
  NoAnswer,
  type Reason,
  type SubgraphFailed,
} from './resilience/guarded-send.ts';
import { shareInFlight } from './execute/share-in-flight.ts';
import type { SubgraphAnswer, SubgraphSource } from './execute/subgraph-answer.ts';

/** How much longer an answer is waited for, in milliseconds; relative, so that clocks may differ. */
export const DEADLINE_HEADER = 'x-weft-deadline-ms';

export type SubgraphContext = PlanContext & {
  /** Headers that go on to every subgraph and change nothing of its answers. */
  forward: Record<string, string>;
  /** Signs for a subgraph who asks. */
  identity?: SignedIdentity | undefined;
  /** When the caller wants no answer any more. */
  deadline?: Deadline | undefined;
  /** Of who asks; undefined where nobody has to sign in. */
  tenantId?: string | undefined;
};

export type SubgraphOptions = {
  name: string;
  /** Where it is now. */
  target: () => { url: URL; pool: Dispatcher };
  guards: Guards;
  /** Whether equal queries of one identity that run at the same time are sent once. */
  shares: boolean;
  /** Called once a request, also for failed ones. */
  observe: (outcome: 'answered' | 'unavailable' | 'shared', seconds: number, cause?: SubgraphFailed) => void;
};

/** Sends the gateway's fetches to one subgraph over kept-alive connections. */
export function createSubgraphSource(options: SubgraphOptions): SubgraphSource<SubgraphContext> {
  const { name, shares, observe } = options;
  const share = shareInFlight<Received>(() => observe('shared', 0));
  return async ({ kind, body }, { forward, identity, deadline = Infinity }) => {
    const signed = identity ? await identity(name) : '';
    const headers = signed === '' ? forward : { ...forward, [IDENTITY_HEADER]: signed };
    const isQuery = kind === OperationTypeNode.QUERY;
    const ask = () => send(options, { body, headers, mayRepeat: isQuery, deadline });
    const received = await (shares && isQuery ? share(`${signed}\n${body}`, ask) : ask());
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

type Sent = { body: string; headers: Record<string, string>; mayRepeat: boolean; deadline: Deadline };

async function send(options: SubgraphOptions, { body, headers, ...limits }: Sent): Promise<Received> {
  const { target, guards, observe } = options;
  const began = performance.now();
  try {
    const received = await guardedSend(guards, limits, async (timeoutMs) => {
      const { pool, url } = target();
      const { status, text, cacheControl } = await postJson(pool, {
        path: url.pathname + url.search,
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/json',
          [DEADLINE_HEADER]: String(timeoutMs),
        },
        body,
        timeoutMs,
      });
      return { text, answer: readAnswer(status, text), policy: cachePolicy(cacheControl) };
    });
    observe('answered', (performance.now() - began) / 1000);
    return received;
  } catch (error) {
    const failure = error as SubgraphFailed;
    observe('unavailable', (performance.now() - began) / 1000, failure);
    throw unavailable(options, failure);
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
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new NoAnswer(status);
  }
  if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer))
    return answer as SubgraphAnswer;
  throw new NoAnswer(status);
}

const WHAT: Readonly<Record<Reason, (afterMs: number) => string>> = {
  unreachable: () => 'cannot be reached',
  timeout: (afterMs) => `did not answer within ${afterMs} ms`,
  'no-answer': () => 'gave no GraphQL answer',
  deadline: () => 'did not answer before the deadline of the request',
  'breaker-open': () => 'has failed too often and is left alone for a moment',
  'queue-full': () => 'has too many requests under way',
};

function unavailable({ name }: SubgraphOptions, { reason, afterMs }: SubgraphFailed): GraphQLError {
  const code = reason === 'deadline' ? 'DEADLINE_EXCEEDED' : 'SUBGRAPH_UNAVAILABLE';
  return new GraphQLError(`Subgraph ${name} ${WHAT[reason](afterMs)}`, {
    extensions: { code, service: name, reason, hint: 'Run `npm run weft -- doctor`.' },
  });
}
