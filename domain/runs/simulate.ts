import type { Json } from '../json.ts';
import type { CompiledDefinition } from './compile.ts';
import { type Command, decide } from './decide.ts';
import { evolve } from './evolve.ts';
import { findNode } from './place.ts';
import type { ApprovalDecision, GroupResult, Happening, NodeRef, RunError, RunEvent } from './run-event.ts';
import type { Seed } from './rerun/seed.ts';
import { seedOfSlice } from './rerun/seed-of-slice.ts';
import { executionsOf, initialState, type NodeState, type RunState, type Slice } from './run-state.ts';
import { isClosed } from './run-status.ts';
import { sliceOf } from './slice-of.ts';

export type SimulatedResult =
  | { output: Json; durationMs?: number }
  | { error: Omit<RunError, 'nodeId'>; durationMs?: number }
  | { decision: ApprovalDecision; comment?: string; data?: Json; decidedBy?: string; durationMs?: number }
  /** For `wait` and `webhook`: what is received. */
  | { event: Json; durationMs?: number };

export type Simulation = {
  input: Json;
  /** Made-up results by node id (`<id>.undo` for undos); an approval or a wait without one waits for its timer. */
  results: (nodeId: string, state: RunState, iteration: string) => SimulatedResult | null;
  /** What people and other systems do meanwhile, each so many ms after the start. */
  happenings?: readonly { afterMs: number; event: Happening }[];
  /** Picks which of the happenings that fall on the same instant comes first; default the oldest. */
  pick?: (count: number) => number;
  startAt?: number;
  /** Of a rerun, and of a fork. */
  seed?: Seed;
  forked?: RunState;
  /** What `run.webhooks` reads. */
  webhooks?: { [nodeId: string]: string };
  maxSteps?: number;
  /** Ends the run from outside, so many ms after its start. */
  interrupt?: { afterMs: number; by: 'cancel' | 'terminate' };
  /** Continues as new before a step when it says so and nothing is under way. */
  continueAsNew?: (step: number) => boolean;
  /** The definition and the state with which the next link goes on, when it is another; nodes have the same ids in both. */
  migrate?: (state: RunState) => { compiled: CompiledDefinition; state: RunState };
};

export type SimulatedRun = {
  state: RunState;
  events: RunEvent[];
  /** Executions of bodies that have ended, in the order in which they did. */
  dropped: NodeState[];
  /** Nothing is left to happen and the run is not closed, or `maxSteps` was reached. */
  stuck: boolean;
};

/** The engine under a virtual clock: no waiting, no I/O, the same decisions as on Temporal. */
export function simulate(
  compiled: CompiledDefinition,
  simulation: Simulation,
  slice: Slice | null = null,
): SimulatedRun {
  const at = simulation.startAt ?? 0;
  const world = createWorld(compiled, simulation, at, slice);
  if (simulation.interrupt) world.pending.push(interruption(simulation.interrupt, at));
  for (const { afterMs, event } of simulation.happenings ?? []) {
    world.pending.push({ ...event, at: at + afterMs });
  }
  const { input, webhooks, seed, forked } = simulation;
  const given = {
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(seed === undefined ? {} : { seed }),
    ...(forked === undefined ? {} : { forked }),
  };
  happen(world, { type: 'run.started', at, input, ...given });
  for (let step = 0; step < (simulation.maxSteps ?? 100_000) && !isClosed(world.state.status); step += 1) {
    if (simulation.continueAsNew?.(step) && isIdle(world)) continueAsNew(world);
    const next = takeNext(world);
    if (next === undefined) break;
    if (!isLate(world, next)) happen(world, next);
  }
  const { state, events, dropped } = world;
  return { state, events, dropped, stuck: !isClosed(state.status) };
}

type World = {
  compiled: CompiledDefinition;
  readonly simulation: Simulation;
  readonly events: RunEvent[];
  readonly dropped: NodeState[];
  /** What will happen, each at its own time. */
  readonly pending: RunEvent[];
  /** Executions whose answer or event is on its way. */
  readonly answered: Set<string>;
  readonly groups: Set<string>;
  state: RunState;
  now: number;
};

function createWorld(compiled: CompiledDefinition, simulation: Simulation, now: number, slice: Slice | null): World {
  return {
    compiled,
    simulation,
    events: [],
    dropped: [],
    pending: [],
    answered: new Set(),
    groups: new Set(),
    state: initialState(compiled, slice),
    now,
  };
}

function interruption({ afterMs, by }: NonNullable<Simulation['interrupt']>, startAt: number): RunEvent {
  const at = startAt + afterMs;
  return by === 'cancel'
    ? { type: 'run.cancel_requested', at, reason: null }
    : { type: 'run.terminated', at, reason: null };
}

/** Nothing that belongs to this link is under way: as the driver drains before it continues as new. */
function isIdle({ state, groups }: World): boolean {
  if (groups.size > 0 || state.undos.some((undo) => undo.status === 'RUNNING')) return false;
  return executionsOf(state).every(
    (node) => node.status !== 'RUNNING' || ('container' in node && (node.attached || isPlain(node))),
  );
}

/** A container that runs its body inside the run, or children of which none is under way. */
function isPlain({ container }: NodeState): boolean {
  return container !== null && !(container.kind === 'map' && container.chunkSize !== null && container.active > 0);
}

/** Timers run in the link before and begin again, results of attached children come by another way. */
function continueAsNew(world: World): void {
  record(world, { type: 'run.continued_as_new', at: world.now });
  world.state = JSON.parse(JSON.stringify(world.state)) as RunState;
  const migrated = world.simulation.migrate?.(world.state);
  if (migrated) {
    world.compiled = migrated.compiled;
    world.state = migrated.state;
  }
  for (const event of world.pending.splice(0)) {
    if (event.type === 'timer.fired' || event.type === 'run.ticked') continue;
    if (event.type !== 'child.completed') world.pending.push(event);
    else world.pending.push({ ...event, type: 'node.completed' });
  }
  act(world);
}

/** The timer of an approval that was answered is cancelled; an answer after the timeout is refused. */
function isLate({ compiled, state }: World, event: RunEvent): boolean {
  if (event.type !== 'timer.fired' && event.type !== 'approval.decided' && event.type !== 'webhook.received')
    return false;
  return event.iteration !== null && findNode(compiled, state, event.nodeId, event.iteration)?.status !== 'WAITING';
}

/** One event, and whatever the engine decides after it. */
function happen(world: World, event: RunEvent): void {
  if (event.type === 'group.completed') world.groups.delete(`${event.nodeId}#${event.iteration}`);
  record(world, event);
  act(world);
}

function act(world: World): void {
  for (const command of decide(world.compiled, world.state)) execute(world, command);
  for (const node of executionsOf(world.state)) if (node.status === 'WAITING') answer(world, node);
}

function record(world: World, event: RunEvent): void {
  world.now = Math.max(world.now, event.at);
  world.events.push(event);
  world.state = evolve(world.compiled, world.state, event);
  world.dropped.push(...world.state.dropped);
}

function execute(world: World, command: Command): void {
  const at = world.now;
  switch (command.type) {
    case 'scheduleActivity':
      return runActivity(world, command);
    case 'runGroup':
      return runGroup(world, command);
    case 'startChild':
      return runChild(world, command);
    case 'watchChild':
      return record(world, { type: 'node.scheduled', at, nodeId: command.nodeId, iteration: command.iteration });
    case 'scheduleUndo':
      return runActivity(world, { nodeId: command.undo.id, iteration: command.undo.iteration }, { output: null });
    case 'startTimer': {
      const { nodeId, iteration, durationMs } = command;
      record(world, { type: 'timer.started', at, nodeId, iteration });
      world.pending.push({ type: 'timer.fired', at: at + durationMs, nodeId, iteration });
      return;
    }
    case 'yield':
      record(world, { type: 'run.yielded', at });
      world.pending.push({ type: 'run.ticked', at });
      return;
    case 'completeRun':
      return record(world, { type: 'run.completed', at, output: command.output });
    case 'failRun':
      return record(world, { type: 'run.failed', at, error: command.error });
    case 'cancelRun':
      return record(world, { type: 'run.cancelled', at });
  }
}

function runActivity(world: World, { nodeId, iteration }: NodeRef, fallback: SimulatedResult | null = null): void {
  const at = world.now;
  record(world, { type: 'node.scheduled', at, nodeId, iteration });
  const result = world.simulation.results(nodeId, world.state, iteration) ?? fallback;
  if (!result || 'decision' in result || 'event' in result) return;
  const done = at + (result.durationMs ?? 0);
  world.pending.push(
    'output' in result
      ? { type: 'node.completed', at: done, nodeId, iteration, output: result.output }
      : { type: 'node.failed', at: done, nodeId, iteration, error: { ...result.error, nodeId } },
  );
}

/** One event after all of them, as the marker of a local activity. */
function runGroup(world: World, { nodeId, iteration, members }: Extract<Command, { type: 'runGroup' }>): void {
  const key = `${nodeId}#${iteration}`;
  if (world.groups.has(key)) return;
  const results: GroupResult[] = [];
  let closedAt = world.now;
  for (const member of members) {
    const result = world.simulation.results(member, world.state, iteration);
    if (!result || 'decision' in result || 'event' in result) break;
    const startedAt = closedAt;
    closedAt += result.durationMs ?? 0;
    const times = { nodeId: member, iteration, startedAt, closedAt };
    if ('output' in result) results.push({ ...times, output: result.output });
    else {
      results.push({ ...times, error: { ...result.error, nodeId: member }, retryable: false });
      break;
    }
  }
  world.groups.add(key);
  world.pending.push({ type: 'group.completed', at: closedAt, nodeId, iteration, results });
}

function runChild(world: World, command: Extract<Command, { type: 'startChild' }>): void {
  const { nodeId, iteration, chunk } = command;
  const at = world.now;
  const ref = { nodeId, iteration, chunk };
  const slice = chunk === null ? null : sliceOf(world.compiled, world.state, { ...command, chunk });
  record(world, { type: 'child.scheduled', at, ...ref, runId: `${nodeId}:${iteration}` });
  if (slice === null) {
    const result = world.simulation.results(nodeId, world.state, iteration);
    if (!result || 'decision' in result || 'event' in result) return;
    const done = at + (result.durationMs ?? 0);
    if ('error' in result)
      world.pending.push({ type: 'child.failed', at: done, ...ref, error: { ...result.error, nodeId } });
    else
      world.pending.push({ type: 'child.completed', at: done, ...ref, output: { output: result.output, undos: [] } });
    return;
  }
  const { interrupt: _, happenings: __, seed: ___, forked: ____, ...simulation } = world.simulation;
  const seed = seedOfSlice(world.compiled, world.state, slice);
  const own = { ...simulation, ...(seed ? { seed } : {}), input: world.state.input, startAt: at };
  const child = simulate(world.compiled, own, slice);
  world.dropped.push(...child.dropped);
  const done = child.state.now;
  if (child.state.status === 'COMPLETED') {
    const undos = JSON.parse(JSON.stringify(child.state.undos)) as Json;
    world.pending.push({ type: 'child.completed', at: done, ...ref, output: { output: child.state.output, undos } });
  } else if (child.state.error)
    world.pending.push({ type: 'child.failed', at: done, ...ref, error: child.state.error });
}

function answer(world: World, { id: nodeId, iteration, type, input }: NodeState): void {
  const key = `${nodeId}#${iteration}`;
  if (world.answered.has(key)) return;
  const result = world.simulation.results(nodeId, world.state, iteration);
  if (!result || (!('decision' in result) && !('event' in result))) return;
  world.answered.add(key);
  const at = world.now + (result.durationMs ?? 0);
  const ref = { at, nodeId, iteration };
  if ('decision' in result) {
    const { decision, comment = null, data = null, decidedBy = null } = result;
    world.pending.push({ type: 'approval.decided', ...ref, decision, comment, data, decidedBy });
  } else if (type === 'webhook') world.pending.push({ type: 'webhook.received', ...ref, data: result.event });
  else if (type === 'wait') {
    const { event: name, correlation = null } = input as { event: string; correlation?: string | null };
    world.pending.push({ type: 'event.received', at, id: key, name, correlation, data: result.event });
  }
}

function takeNext({ pending, simulation }: World): RunEvent | undefined {
  const soonest = Math.min(...pending.map((event) => event.at));
  const candidates = pending.filter((event) => event.at === soonest);
  const chosen = candidates[simulation.pick ? simulation.pick(candidates.length) : 0];
  if (chosen) pending.splice(pending.indexOf(chosen), 1);
  return chosen;
}
