import type { RunState } from '../run-state.ts';
import { overrideVariable } from '../variables.ts';
import type { Seed } from './seed.ts';

/** The state of a run that begins with results of another. */
export function seeded(state: RunState, seed: Seed): RunState {
  let { variables } = state;
  for (const [name, value] of Object.entries(seed.variables ?? {}))
    variables = overrideVariable(variables, name, value);
  return { ...state, variables, seed };
}
