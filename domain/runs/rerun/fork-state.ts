import { Change } from '../change.ts';
import type { CompiledDefinition } from '../compile.ts';
import type { NodeState, RunState } from '../run-state.ts';
import { isSettled } from '../run-status.ts';

/** What was under way loses what it had come to. */
export const BEGINS_AGAIN = {
  status: 'PENDING',
  attempts: 0,
  input: null,
  output: null,
  port: null,
  error: null,
  startedAt: null,
  closedAt: null,
  due: false,
  deadline: null,
  stage: 0,
  answers: [],
  solo: true,
  attached: false,
  container: null,
} as const satisfies Partial<NodeState>;

/**
 * Goes on from the state of another run: what is settled stays so, what was under way begins again, timers and waits from their start.
 * Bodies under way stay as they are; a map whose items run as child runs begins again.
 */
export function goOnForked(
  compiled: CompiledDefinition,
  forked: RunState,
  { at, webhooks }: { at: number; webhooks: RunState['webhooks'] },
): RunState {
  const begun: RunState = { ...forked, startedAt: at, closedAt: null, webhooks, yielding: false, dropped: [] };
  const change = new Change(compiled, begun, at);
  for (const { place, current } of [...change.executions()]) {
    if (isSettled(current.status) || !hasBegun(current) || runsItsBody(current)) continue;
    change.set(place, BEGINS_AGAIN);
    change.ready(place);
  }
  if (begun.paused === null) change.resume();
  return change.finish();
}

const hasBegun = ({ status, due }: NodeState): boolean => status !== 'PENDING' || due;
const runsItsBody = ({ container }: NodeState): boolean =>
  container !== null && !(container.kind === 'map' && container.chunkSize !== null);
