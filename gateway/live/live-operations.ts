import {
  type DocumentNode,
  GraphQLError,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type ValidationRule,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../access-policies.ts';
import { coerceVariables } from '../execute/coerce-variables.ts';
import { executeDeferred, type IncrementalPayload } from '../execute/execute-deferred.ts';
import { executeOperation, type ExecutionResult, withFigures } from '../execute/execute-operation.ts';
import type { PlanCache } from '../execute/plan-cache.ts';
import { operationOf } from '../execute/prepare-operation.ts';
import type { OperationCost } from '../limits/operation-cost.ts';
import { gateCaller, type OperationGate } from '../limits/operation-gate.ts';
import type { SubgraphContext } from '../subgraph-source.ts';
import { upstreamOperation } from './resumable.ts';
import { createTopics } from './topics.ts';
import { type Planned, subscribeOperation, type SubscriptionParts } from './subscribe-operation.ts';

class Invalid extends Error {
  readonly problems: readonly GraphQLError[];

  constructor(problems: readonly GraphQLError[]) {
    super('The document is not valid');
    this.problems = problems;
  }
}

export type LiveRequest = {
  query?: unknown;
  operationName?: unknown;
  variables?: unknown;
  documentId?: unknown;
  extensions?: unknown;
};
export type LiveResult = ExecutionResult | AsyncGenerator<ExecutionResult | IncrementalPayload>;
export type LiveCaller = { context: SubgraphContext; scope: string };

export type LiveOperations = {
  /** Answers at once, or with a stream for a subscription and for what is deferred. */
  run: (request: LiveRequest, caller: LiveCaller) => Promise<LiveResult>;
  /** What of an operation under way its caller may not have now. */
  denied: (request: LiveRequest, caller: LiveCaller) => GraphQLError | null;
};

export type LiveParts = SubscriptionParts & {
  plans: () => PlanCache;
  rules: readonly ValidationRule[];
  maxTokens: number;
  admit: OperationGate['admit'];
};

const MOST_DOCUMENTS = 1000;
/** What a slow reader may leave unread before it is let go. */
const MOST_HELD = 1000;

/** Operations whose answers come in parts. */
export function createLiveOperations(parts: LiveParts): LiveOperations {
  const documents = new LRUCache<string, DocumentNode>({ max: MOST_DOCUMENTS });
  const topics = createTopics(MOST_HELD, tooSlow);
  let schema: unknown;

  function readied(query: string): DocumentNode {
    const { federation } = parts.plans();
    if (schema !== federation.schema) documents.clear();
    schema = federation.schema;
    const known = documents.get(query);
    if (known !== undefined) return known;
    const document = parse(query, { maxTokens: parts.maxTokens });
    const problems = validate(federation.schema, document, [...specifiedRules, ...parts.rules]);
    if (problems.length > 0) throw new Invalid(problems.map(asInvalid));
    documents.set(query, document);
    return document;
  }

  function plannedAs(asked: Asked, caller: Caller | undefined): PlannedKind {
    const { query, operationName, variables } = asked;
    const plans = parts.plans();
    const document = readied(query);
    const operation: OperationDefinitionNode = operationOf(document, operationName);
    const invalid = coerceVariables(plans.federation.schema, operation, variables);
    if (invalid.length > 0) throw new Invalid(invalid);
    const defers = query.includes('@defer');
    const key = keyOf(query, operationName, defers);
    const plan = plans.prepare(key, document, { operationName, defers }, { caller, variables });
    if ('refused' in plan) throw new Invalid(plan.refused);
    const { prepared, literals, cost } = plan;
    return { prepared, variables: { ...variables, ...literals }, key, operation, defers, cost };
  }

  async function answer(request: LiveRequest, { context, scope }: LiveCaller): Promise<LiveResult> {
    const { identity, tenantId, caller } = context;
    const refused = await parts.admit(request, gateCaller({ identity, tenantId, caller }));
    if (refused !== null) return { errors: [refused] };
    const asked = checked(request);
    const { key, operation, defers, cost, ...planned } = plannedAs(asked, caller);
    const { prepared, variables } = planned;
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) {
      const keeping = parts.keepingFor(caller, operation.operation);
      const input = { sources: parts.sources(), context, variables, caller, keeping, tellsNulls: true };
      if (defers) return executeDeferred(prepared, input);
      return withFigures(await executeOperation(prepared, input), context.figures?.(asked.query, cost(variables)));
    }
    const { resume } = upstreamOperation(prepared);
    const named = JSON.stringify(resume === null ? variables : resume.others(variables));
    const plan = () => plannedAs(asked, caller);
    const { deadline: _ofRequests, ...lasting } = context;
    return topics.join({
      key: `${scope}\n${key}\n${named}`,
      after: resume === null ? null : resume.from(variables),
      follow: (after) => subscribeOperation({ planned, plan, context: lasting, after }, parts),
    });
  }

  return {
    denied(request, { context }) {
      const { query, operationName, variables } = checked(request);
      const asked = { caller: context.caller, variables };
      const plan = parts.plans().prepare(keyOf(query, operationName), readied(query), { operationName }, asked);
      return 'refused' in plan ? (plan.refused[0] ?? null) : null;
    },
    async run(request, caller) {
      try {
        return await answer(request, caller);
      } catch (error) {
        if (error instanceof Invalid) return { errors: error.problems };
        if (error instanceof GraphQLError) return { errors: [error] };
        return { errors: [new GraphQLError((error as Error).message, { originalError: error as Error })] };
      }
    },
  };
}

const keyOf = (query: string, operationName: string | undefined, defers = false): string =>
  `live ${defers} ${operationName ?? ''}\n${query}`;

type PlannedKind = Planned & { key: string; operation: OperationDefinitionNode; defers: boolean; cost: OperationCost };
type Asked = { query: string; operationName: string | undefined; variables: Record<string, unknown> };

function checked({ query, operationName, variables }: LiveRequest): Asked {
  if (typeof query !== 'string') throw badRequest('`query` must be a text');
  if (operationName != null && typeof operationName !== 'string') throw badRequest('`operationName` must be a text');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw badRequest('`variables` must be an object');
  }
  return {
    query,
    operationName: operationName ?? undefined,
    variables: (variables ?? {}) as Record<string, unknown>,
  };
}

const asInvalid = ({ message, nodes }: GraphQLError): GraphQLError =>
  new GraphQLError(message, { nodes: nodes ?? null, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

const tooSlow = (): ExecutionResult => ({
  errors: [
    new GraphQLError('Events came faster than they were read; subscribe again', {
      extensions: { code: 'SUBSCRIPTION_TOO_SLOW' },
    }),
  ],
});
