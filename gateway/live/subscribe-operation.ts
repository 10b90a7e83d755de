import { isDeepStrictEqual } from 'node:util';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { untilLeft } from '../../adapters/graphql/until-left.ts';
import type { Caller } from '../access-policies.ts';
import type { Cursor } from '../execute/cursor.ts';
import { completeResponse, type ExecutionResult } from '../execute/execute-operation.ts';
import { isJsonObject, type JsonObject } from '../execute/json-value.ts';
import type { Keeping } from '../execute/kept-entities.ts';
import type { PreparedOperation } from '../execute/prepare-operation.ts';
import { applyRewrites } from '../execute/rewrites.ts';
import type { Execution } from '../execute/run-fetch.ts';
import { runPlan } from '../execute/run-plan.ts';
import type { SubgraphAnswer, SubgraphSources } from '../execute/subgraph-answer.ts';
import { subgraphError } from '../execute/subgraph-error.ts';
import type { SubgraphContext } from '../subgraph-source.ts';
import { followUpstream, type Upstream } from './follow-upstream.ts';
import { upstreamOperation } from './resumable.ts';
import type { Told } from './joint-stream.ts';
import type { UpstreamLink } from './upstream-link.ts';

export type SubscriptionParts = {
  sources: () => SubgraphSources<SubgraphContext>;
  links: (subgraph: string) => UpstreamLink;
  /** Hears of each other supergraph that is served from then on. */
  onSwap: (swapped: () => void) => () => void;
  onLost: (subgraph: string, error: unknown, attempt: number) => void;
  /** Where entities are kept for a caller. */
  keepingFor: (caller: Caller | undefined, operation: OperationTypeNode) => Keeping | undefined;
};

/** An operation as it is run on the supergraph that is served. */
export type Planned = { prepared: PreparedOperation; variables: Readonly<Record<string, unknown>> };

export type Subscribing = {
  planned: Planned;
  /** Plans it for what is served by now. @throws when it is not valid there */
  plan: () => Planned;
  context: SubgraphContext;
  /** The place to begin behind. */
  after: string | null;
};

type Joining = Upstream & { planned: Planned };

/**
 * Follows a subscription in its subgraph and joins to each event what the caller asked of other subgraphs. When another supergraph is
 * served it goes on there, behind the last event told, or ends with an error when it is no longer valid.
 */
export function subscribeOperation(subscribing: Subscribing, parts: SubscriptionParts): AsyncGenerator<Told> {
  const { plan, context, after } = subscribing;
  return untilLeft(async function* (signal) {
    let upstream: Joining | null = joining(subscribing.planned, parts);
    let refused: ExecutionResult | null = null;
    let changed = () => {};
    const forget = parts.onSwap(() => {
      try {
        const next = joining(plan(), parts);
        if (upstream !== null && isSame(upstream, next)) return void (upstream.planned = next.planned);
        upstream = next;
      } catch (error) {
        upstream = null;
        refused = { errors: [noLongerValid(error)] };
      }
      changed();
    });
    const extensions = (subgraph: string) => extensionsFor(subgraph, context);
    const onChange = (hear: () => void) => void (changed = hear);
    const following = { upstream: () => upstream, onChange, after, extensions, onLost: parts.onLost };
    try {
      for await (const { answer, cursor, upstream: from } of followUpstream(following, signal)) {
        yield {
          result: await joined(from.planned, answer, {
            sources: parts.sources(),
            context,
            keepingFor: parts.keepingFor,
          }),
          cursor,
        };
      }
      if (refused !== null) yield { result: refused, cursor: null };
    } finally {
      forget();
    }
  });
}

function joining(planned: Planned, { links }: SubscriptionParts): Joining {
  const { prepared, variables } = planned;
  if (prepared.primary === null) throw new Error('The plan of a subscription begins with its subgraph');
  const { subgraph } = prepared.primary;
  return { subgraph, link: links(subgraph), operation: upstreamOperation(prepared), variables, planned };
}

const isSame = (before: Joining, now: Joining): boolean =>
  before.link === now.link &&
  before.operation.query === now.operation.query &&
  isDeepStrictEqual(before.variables, now.variables);

function noLongerValid(error: unknown): GraphQLError {
  const { problems = [error as Error] } = error as { problems?: readonly Error[] };
  const message = `The graph has changed, and in the new one this subscription is not valid: ${problems[0]?.message}`;
  return new GraphQLError(message, { extensions: { code: 'SUBSCRIPTION_OUTDATED' } });
}

async function extensionsFor(subgraph: string, { forward, identity }: SubgraphContext) {
  const signed = identity && { identity: await identity(subgraph) };
  return { ...forward, ...signed };
}

type Input = Pick<Execution<SubgraphContext>, 'sources' | 'context'> & Pick<SubscriptionParts, 'keepingFor'>;

async function joined(
  { prepared, variables }: Planned,
  answer: SubgraphAnswer,
  input: Input,
): Promise<ExecutionResult> {
  const { federation, primary, step } = prepared;
  const root: JsonObject = isJsonObject(answer.data) ? answer.data : {};
  const run: Execution<SubgraphContext> = {
    sources: input.sources,
    context: input.context,
    variables,
    caller: input.context.caller,
    keeping: input.keepingFor(input.context.caller, OperationTypeNode.SUBSCRIPTION),
    conditions: prepared.conditionsOf(variables),
    isOfType: federation.isOfType,
    errors: (answer.errors ?? []).map((error) => subgraphError(error, primary?.subgraph ?? '', error.path)),
  };
  applyRewrites(primary?.outputRewrites ?? null, root, federation.isOfType);
  const cursor: Cursor = { path: [], objects: [root], root };
  if (step !== null && answer.data != null) await runPlan(step, cursor, run);
  return completeResponse(prepared, root, run);
}
