import type { Json } from '../json.ts';
import type { CompiledDefinition } from './compile.ts';
import { type Command, decide } from './decide.ts';
import { evolve } from './evolve.ts';
import type { ApprovalDecision, RunError, RunEvent } from './run-event.ts';
import { initialState, type NodeState, type RunState } from './run-state.ts';
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
  /** Ends the run from outside, so many ms after its start. */
  interrupt?: { afterMs: number; by: 'cancel' | 'terminate' };
};

export type SimulatedRun = {
  state: RunState;
  events: RunEvent[];
  /** Nothing is left to happen and the run is not closed, or `maxSteps` was reached. */
  stuck: boolean;
};

/** The engine under a virtual clock: no waiting, no I/O, the same decisions as on Temporal. */
export function simulate(compiled: CompiledDefinition, simulation: Simulation): SimulatedRun {
  const at = simulation.startAt ?? 0;
  const world = createWorld(compiled, simulation, at);
  if (simulation.interrupt) world.pending.push(interruption(simulation.interrupt, at));
  happen(world, { type: 'run.started', at, input: simulation.input });
  for (let step = 0; step < (simulation.maxSteps ?? 100_000) && !isClosed(world.state.status); step += 1) {
    const next = takeNext(world);
    if (next === undefined) break;
    if (!isLate(world, next)) happen(world, next);
  }
  return { state: world.state, events: world.events, stuck: !isClosed(world.state.status) };
}

type World = {
  readonly compiled: CompiledDefinition;
  readonly simulation: Simulation;
  readonly events: RunEvent[];
  /** What will happen, each at its own time. */
  readonly pending: RunEvent[];
  /** Ids of the approvals whose answer is on its way. */
  readonly answered: Set<string>;
  state: RunState;
  now: number;
};

function createWorld(compiled: CompiledDefinition, simulation: Simulation, now: number): World {
  const state = initialState(compiled);
  return { compiled, simulation, events: [], pending: [], answered: new Set(), state, now };
}

function interruption({ afterMs, by }: NonNullable<Simulation['interrupt']>, startAt: number): RunEvent {
  const at = startAt + afterMs;
  return by === 'cancel'
    ? { type: 'run.cancel_requested', at, reason: null }
    : { type: 'run.terminated', at, reason: null };
}

/** The timer of an approval that was answered is cancelled; an answer after the timeout is refused. */
function isLate({ compiled, state }: World, event: RunEvent): boolean {
  if (event.type !== 'timer.fired' && event.type !== 'approval.decided') return false;
  return state.nodes[compiled.indexOf.get(event.nodeId) ?? -1]?.status !== 'WAITING';
}

/** One event, and whatever the engine decides after it. */
function happen(world: World, event: RunEvent): void {
  record(world, event);
  for (const command of decide(world.compiled, world.state)) execute(world, command);
  for (const node of world.state.nodes) if (node.type === 'approval') answer(world, node);
}

function record(world: World, event: RunEvent): void {
  world.now = Math.max(world.now, event.at);
  world.events.push(event);
  world.state = evolve(world.compiled, world.state, event);
}

function execute(world: World, command: Command): void {
  const at = world.now;
  switch (command.type) {
    case 'scheduleActivity': {
      const { nodeId, iteration } = command;
      record(world, { type: 'node.scheduled', at, nodeId, iteration });
      const result = world.simulation.results(nodeId, world.state);
      if (result && !('decision' in result)) world.pending.push(completion(command, result, at));
      return;
    }
    case 'startTimer': {
      const { nodeId, iteration, durationMs } = command;
      record(world, { type: 'timer.started', at, nodeId, iteration });
      world.pending.push({ type: 'timer.fired', at: at + durationMs, nodeId, iteration });
      return;
    }
    case 'completeRun':
      return record(world, { type: 'run.completed', at, output: command.output });
    case 'failRun':
      return record(world, { type: 'run.failed', at, error: command.error });
    case 'cancelRun':
      return record(world, { type: 'run.cancelled', at });
  }
}

function completion(
  { nodeId, iteration }: Extract<Command, { type: 'scheduleActivity' }>,
  result: Exclude<SimulatedResult, { decision: ApprovalDecision }>,
  now: number,
): RunEvent {
  const at = now + (result.durationMs ?? 0);
  return 'output' in result
    ? { type: 'node.completed', at, nodeId, iteration, output: result.output }
    : { type: 'node.failed', at, nodeId, iteration, error: { ...result.error, nodeId } };
}

function answer(world: World, { id: nodeId, iteration, status }: NodeState): void {
  if (status !== 'WAITING' || world.answered.has(nodeId)) return;
  const result = world.simulation.results(nodeId, world.state);
  if (!result || !('decision' in result)) return;
  world.answered.add(nodeId);
  const { decision, comment = null, data = null, durationMs = 0 } = result;
  const at = world.now + durationMs;
  world.pending.push({
    type: 'approval.decided',
    at,
    nodeId,
    iteration,
    decision,
    comment,
    data,
    decidedBy: null,
  });
}

function takeNext({ pending, simulation }: World): RunEvent | undefined {
  const soonest = Math.min(...pending.map((event) => event.at));
  const candidates = pending.filter((event) => event.at === soonest);
  const chosen = candidates[simulation.pick ? simulation.pick(candidates.length) : 0];
  if (chosen) pending.splice(pending.indexOf(chosen), 1);
  return chosen;
}
