import type { RunsDeps } from './deps.ts';
import { listProjections, rebuildProjection, startProjection, stopProjection } from './projections.ts';
import type { RunsContext } from './resolvers.ts';

type Named = { name: string };

export function projectionsResolvers(deps: Pick<RunsDeps, 'pool'>) {
  return {
    Query: { projections: (_: unknown, __: unknown, { principal }: RunsContext) => listProjections(deps, principal) },
    Mutation: {
      rebuildProjection: (_: unknown, { name }: Named, { principal }: RunsContext) =>
        rebuildProjection(deps, principal, name),
      stopProjection: (_: unknown, { name }: Named, { principal }: RunsContext) =>
        stopProjection(deps, principal, name),
      startProjection: (_: unknown, { name }: Named, { principal }: RunsContext) =>
        startProjection(deps, principal, name),
    },
  };
}
