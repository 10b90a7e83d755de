import { untilLeft } from '../../adapters/graphql/until-left.ts';
import type { Cursor } from '../execute/cursor.ts';
import { completeResponse, type ExecutionResult } from '../execute/execute-operation.ts';
import { isJsonObject, type JsonObject } from '../execute/json-value.ts';
import type { PreparedOperation } from '../execute/prepare-operation.ts';
import { applyRewrites } from '../execute/rewrites.ts';
import type { Execution } from '../execute/run-fetch.ts';
import { runPlan } from '../execute/run-plan.ts';
import type { SubgraphAnswer, SubgraphSources } from '../execute/subgraph-answer.ts';
import { subgraphError } from '../execute/subgraph-error.ts';
import type { SubgraphContext } from '../subgraph-source.ts';
import { followUpstream } from './follow-upstream.ts';
import { upstreamOperation } from './resumable.ts';
import type { UpstreamLink } from './upstream-link.ts';

export type SubscriptionParts = {
  sources: SubgraphSources<SubgraphContext>;
  links: (subgraph: string) => UpstreamLink;
  onLost: (subgraph: string, error: unknown, attempt: number) => void;
};

/** Follows a subscription in its subgraph and joins to each event what the caller asked of other subgraphs. */
export function subscribeOperation(
  prepared: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  context: SubgraphContext,
  parts: SubscriptionParts,
): AsyncGenerator<ExecutionResult> {
  const { primary } = prepared;
  if (primary === null) throw new Error('The plan of a subscription begins with its subgraph');
  const following = {
    subgraph: primary.subgraph,
    link: parts.links(primary.subgraph),
    operation: upstreamOperation(prepared),
    variables,
    extensions: () => extensionsFor(primary.subgraph, context),
    onLost: (error: unknown, attempt: number) => parts.onLost(primary.subgraph, error, attempt),
  };
  return untilLeft(async function* (signal) {
    for await (const answer of followUpstream(following, signal)) {
      yield await joined(prepared, answer, { sources: parts.sources, context, variables });
    }
  });
}

async function extensionsFor(subgraph: string, { forward, identity }: SubgraphContext) {
  const signed = identity && { identity: await identity(subgraph) };
  return { ...forward, ...signed };
}

type Input = Pick<Execution<SubgraphContext>, 'sources' | 'context' | 'variables'>;

async function joined(prepared: PreparedOperation, answer: SubgraphAnswer, input: Input): Promise<ExecutionResult> {
  const { federation, primary, step } = prepared;
  const root: JsonObject = isJsonObject(answer.data) ? answer.data : {};
  const run: Execution<SubgraphContext> = {
    ...input,
    conditions: prepared.conditionsOf(input.variables),
    isOfType: federation.isOfType,
    errors: (answer.errors ?? []).map((error) => subgraphError(error, primary?.subgraph ?? '', error.path)),
  };
  applyRewrites(primary?.outputRewrites ?? null, root, federation.isOfType);
  const cursor: Cursor = { path: [], objects: [root], root };
  if (step !== null && answer.data != null) await runPlan(step, cursor, run);
  return completeResponse(prepared, root, run);
}
