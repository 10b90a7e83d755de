import type { Explanation, NodeForecast } from '../../domain/authoring/explain-definition.ts';
import type { Json } from '../../domain/json.ts';
import type { Principal } from '../access/principal.ts';
import type { DefinitionSource } from './definition-source.ts';
import type { RunsDeps } from './deps.ts';
import { diffWorkflow, explainWorkflow, expressionCompletions } from './explain-workflow.ts';

type Context = { principal: Principal };

export function authoringResolvers(deps: RunsDeps) {
  return {
    Query: {
      diffWorkflow: (
        _: unknown,
        request: { before: DefinitionSource; after: DefinitionSource },
        { principal }: Context,
      ) => diffWorkflow(deps, principal, request),
      explainWorkflow: (_: unknown, request: { source: DefinitionSource; input?: Json }, { principal }: Context) =>
        explainWorkflow(deps, principal, request),
      expressionCompletions: (_: unknown, request: Parameters<typeof expressionCompletions>[0]) =>
        expressionCompletions(request),
    },
    types: {
      WorkflowForecast: {
        events: ({ atMost }: Explanation) => atMost.events,
        childEvents: ({ atMost }: Explanation) => atMost.childEvents,
        actions: ({ atMost }: Explanation) => atMost.actions,
        payloads: ({ atMost }: Explanation) => atMost.payloads,
        payloadBytes: ({ atMost }: Explanation) => atMost.payloadBytes,
        durationMs: ({ atMost }: Explanation) => atMost.durationMs,
        modelCalls: ({ atMost }: Explanation) => atMost.modelCalls,
        tokens: ({ atMost }: Explanation) => atMost.tokens,
        histories: ({ continuesAsNew }: Explanation) => Math.min(continuesAsNew.histories, 2 ** 31 - 1),
      },
      NodeForecast: {
        executions: ({ executions }: NodeForecast) => executions.count,
        executionsKnown: ({ executions }: NodeForecast) => executions.known,
        events: ({ cost }: NodeForecast) => cost.events,
        durationMs: ({ cost }: NodeForecast) => cost.durationMs,
        fusedWith: ({ fusion }: NodeForecast) => (fusion?.fused === true ? fusion.group : null),
        notFusedBecause: ({ fusion }: NodeForecast) => (fusion?.fused === false ? fusion.why : null),
      },
    },
  };
}
