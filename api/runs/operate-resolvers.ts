import type { Json } from '../../domain/json.ts';
import type { RunsDeps } from './deps.ts';
import { type OneNode, pauseRun, resumeRun, retryNode, setVariable, skipNode } from './operate-run.ts';
import type { RunsContext } from './resolvers.ts';

type OneRun = { runId: string };

export function operateResolvers(deps: RunsDeps) {
  return {
    Mutation: {
      pauseRun: (
        _: unknown,
        { runId, reason = null }: OneRun & { reason?: string | null },
        { principal }: RunsContext,
      ) => pauseRun(deps, principal, runId, reason),
      resumeRun: (_: unknown, { runId }: OneRun, { principal }: RunsContext) => resumeRun(deps, principal, runId),
      retryNode: (_: unknown, request: OneNode, { principal }: RunsContext) => retryNode(deps, principal, request),
      skipNode: (_: unknown, request: OneNode & { output?: Json }, { principal }: RunsContext) =>
        skipNode(deps, principal, request),
      setVariable: (_: unknown, request: OneRun & { name: string; value?: Json }, { principal }: RunsContext) =>
        setVariable(deps, principal, request),
    },
  };
}
