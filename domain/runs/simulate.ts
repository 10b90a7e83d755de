import type { Json } from '../json.ts';
import type { CompiledDefinition } from './compile.ts';
import { type Command, decide } from './decide.ts';
import { evolve } from './evolve.ts';
import type { ApprovalDecision, RunError, RunEvent } from './run-event.ts';
import { initialState, type RunState } from './run-state.ts';
import { isClosed } from './run-status.ts';

export type SimulatedResult =
  | { output: Json; durationMs?: number }
  | { error: Omit<RunError, 'nodeId'>; durationMs?: number }
  | { decision: ApprovalDecision; comment?: string; data?: Json; durationMs?: number };

export type Simulation = {
  input: Json;
  /** Made-up results by node id; an approval without one waits for its timer. */
  results: (nodeId: string, state: RunState) => SimulatedResult | null;
  /** Picks which of the happenings that fall on the same instant comes first; default the oldest. */
  pick?: (count: number) => number;
  startAt?: number;
  maxSteps?: number;
};

export type SimulatedRun = { state: RunState; events: RunEvent[]; stuck: boolean };
type Pending = { at: number; event: RunEvent };

/** The engine under a virtual clock: no waiting, no I/O, the same decisions as on Temporal. */
export function simulate(compiled: CompiledDefinition, simulation: Simulation): SimulatedRun {
  const events: RunEvent[] = [];
  const pending: Pending[] = [];
  const opened = new Set<string>();
  let now = simulation.startAt ?? 0;
  let state = initialState(compiled);
  const apply = (event: RunEvent) => {
    events.push(event);
    state = evolve(compiled, state, event);
    for (const command of decide(compiled, state)) execute(command);
    answerApprovals();
  };
  const execute = (command: Command) => {
    switch (command.type) {
      case 'scheduleActivity': {
        const { nodeId, iteration } = command;
        if (isOpen(nodeId)) return;
        opened.add(nodeId);
        pending.push({ at: now, event: { type: 'node.scheduled', at: now, nodeId, iteration } });
        return;
      }
      case 'startTimer': {
        const { nodeId, iteration, durationMs } = command;
        if (opened.has(`timer ${nodeId}`)) return;
        opened.add(`timer ${nodeId}`);
        events.push({ type: 'timer.started', at: now, nodeId, iteration });
        state = evolve(compiled, state, { type: 'timer.started', at: now, nodeId, iteration });
        const at = now + durationMs;
        pending.push({ at, event: { type: 'timer.fired', at, nodeId, iteration } });
        return;
      }
      case 'completeRun':
        return apply({ type: 'run.completed', at: now, output: command.output });
      case 'failRun':
        return apply({ type: 'run.failed', at: now, error: command.error });
      case 'cancelRun':
        return apply({ type: 'run.cancelled', at: now });
    }
  };
  const isOpen = (nodeId: string) => opened.has(nodeId);
  const answerApprovals = () => {
    for (const node of state.nodes) {
      if (node.type !== 'approval' || node.status !== 'WAITING' || opened.has(`approval ${node.id}`)) continue;
      const result = simulation.results(node.id, state);
      if (!result || !('decision' in result)) continue;
      opened.add(`approval ${node.id}`);
      const { decision, comment = null, data = null, durationMs = 0 } = result;
      const { id: nodeId, iteration } = node;
      const at = now + durationMs;
      pending.push({
        at,
        event: { type: 'approval.decided', at, nodeId, iteration, decision, comment, data, decidedBy: null },
      });
    }
  };
  apply({ type: 'run.started', at: now, input: simulation.input });
  for (let step = 0; !isClosed(state.status); step += 1) {
    const next = takeNext(pending, simulation.pick);
    if (next === undefined || step >= (simulation.maxSteps ?? 100_000)) return { state, events, stuck: true };
    now = Math.max(now, next.at);
    apply(next.event);
    if (next.event.type === 'node.scheduled') pending.push(...completion(next.event, simulation, state, now));
  }
  return { state, events, stuck: false };
}

function takeNext(pending: Pending[], pick: Simulation['pick']): Pending | undefined {
  const soonest = Math.min(...pending.map((entry) => entry.at));
  const candidates = pending.filter((entry) => entry.at === soonest);
  const chosen = candidates[pick ? pick(candidates.length) : 0];
  if (chosen) pending.splice(pending.indexOf(chosen), 1);
  return chosen;
}

function completion(
  event: Extract<RunEvent, { type: 'node.scheduled' }>,
  simulation: Simulation,
  state: RunState,
  now: number,
): Pending[] {
  const { nodeId, iteration } = event;
  const result = simulation.results(nodeId, state);
  if (result === null || 'decision' in result) return [];
  const at = now + (result.durationMs ?? 0);
  return [
    'output' in result
      ? { at, event: { type: 'node.completed', at, nodeId, iteration, output: result.output } }
      : { at, event: { type: 'node.failed', at, nodeId, iteration, error: { ...result.error, nodeId } } },
  ];
}
