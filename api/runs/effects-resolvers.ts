import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { RunsDeps } from './deps.ts';
import { type EffectsFilter, listEffectsOf } from './list-effects.ts';
import type { RunsContext } from './resolvers.ts';

export function effectsResolvers(deps: RunsDeps) {
  return {
    Run: {
      effects: (run: RunRecord, filter: EffectsFilter, { principal }: RunsContext) =>
        listEffectsOf(deps, principal, run.id, filter),
    },
  };
}
