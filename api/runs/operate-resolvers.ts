import type { Json } from '../../domain/json.ts';
import { decidingSubject, type Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { type OneNode, pauseRun, resumeRun, retryNode, setVariable, skipNode } from './operate-run.ts';
import type { RunsContext } from './resolvers.ts';

type OneRun = { runId: string };
/** On whose behalf; default is whoever asks. */
type Asked = { by?: string | null };

export function operateResolvers(deps: RunsDeps) {
  return {
    Mutation: {
      pauseRun: (
        _: unknown,
        { runId, reason = null, by }: OneRun & Asked & { reason?: string | null },
        { principal }: RunsContext,
      ) => pauseRun(deps, onBehalf(principal, by), runId, reason),
      resumeRun: (_: unknown, { runId, by }: OneRun & Asked, { principal }: RunsContext) =>
        resumeRun(deps, onBehalf(principal, by), runId),
      retryNode: (_: unknown, { by, ...request }: OneNode & Asked, { principal }: RunsContext) =>
        retryNode(deps, onBehalf(principal, by), request),
      skipNode: (_: unknown, { by, ...request }: OneNode & Asked & { output?: Json }, { principal }: RunsContext) =>
        skipNode(deps, onBehalf(principal, by), request),
      setVariable: (
        _: unknown,
        { by, ...request }: OneRun & Asked & { name: string; value?: Json },
        { principal }: RunsContext,
      ) => setVariable(deps, onBehalf(principal, by), request),
    },
  };
}

const onBehalf = (principal: Principal, by: string | null | undefined): Principal => ({
  ...principal,
  subject: decidingSubject(principal, by),
});
