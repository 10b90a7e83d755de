import type { Json } from '../json.ts';
import { assertCanDecide } from '../runs/approval.ts';
import {
  assertCanDeliver,
  assertCanPause,
  assertCanResume,
  assertCanRetry,
  assertCanSetVariable,
  assertCanSkip,
} from '../runs/check-message.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import { AppError } from '../errors.ts';
import { evolve } from '../runs/evolve.ts';
import { findNode } from '../runs/place.ts';
import type { Happening, RunEvent } from '../runs/run-event.ts';
import { executionsOf, initialState, type NodeState, type RunState, type UndoState } from '../runs/run-state.ts';
import { simulate, type SimulatedResult, type SimulatedRun } from '../runs/simulate.ts';

/** By node id, `<id>#<iteration>` or `<id>.undo`; of a list each call takes the next, and the last one stays. */
export type ScriptedResults = { readonly [node: string]: SimulatedResult | readonly SimulatedResult[] };
export type Step = { afterMs: number; event: Happening };
export type Script = { input: Json; results: ScriptedResults; steps: readonly Step[]; startAt: number };

/** An activity or a child run that was asked for. */
export type Call = { nodeId: string; iteration: string; input: Json };
export type Refusal = { step: number; code: string; message: string };
export type ScriptedRun = SimulatedRun & {
  calls: Call[];
  /** Steps that the run refuses, as it would refuse the people who take them. */
  refusals: Refusal[];
  /** Nodes that were asked for something, and for which the script has no result. */
  unanswered: string[];
  durationMs: number;
};

/** A run under a virtual clock: results come from the script, and at their times happen its steps. */
export function runScript(compiled: CompiledDefinition, script: Script): ScriptedRun {
  const refusals: Refusal[] = [];
  for (;;) {
    const steps = script.steps.map((step, index) => ({ ...step, index }));
    const allowed = steps.filter(({ index }) => !refusals.some(({ step }) => step === index));
    const played = play(compiled, script, allowed);
    const refused = firstRefusal(compiled, played.events, allowed, script.startAt);
    if (refused === null) return { ...played, refusals: refusals.sort((left, right) => left.step - right.step) };
    refusals.push(refused);
  }
}

function play(
  compiled: CompiledDefinition,
  script: Script,
  happenings: readonly Step[],
): Omit<ScriptedRun, 'refusals'> {
  const calls: Call[] = [];
  const taken = new Map<string, number>();
  const unanswered = new Set<string>();
  const run = simulate(compiled, {
    input: script.input,
    startAt: script.startAt,
    webhooks: webhooksOf(compiled),
    happenings,
    results: (nodeId, state, iteration) => {
      const called = callOf(compiled, state, nodeId, iteration);
      if (called) calls.push(called);
      const result = resultOf(script.results, nodeId, iteration, taken);
      if (result === null && called && !nodeId.endsWith('.undo')) unanswered.add(nodeId);
      return result;
    },
  });
  const closedAt = run.state.closedAt ?? run.state.now;
  return { ...run, calls: withInputs(calls, run), unanswered: [...unanswered], durationMs: closedAt - script.startAt };
}

/** Made-up addresses, so that expressions may read them. */
const webhooksOf = ({ nodes }: CompiledDefinition): { [nodeId: string]: string } =>
  Object.fromEntries(
    nodes.filter(({ type }) => type === 'webhook').map(({ id }) => [id, `https://weft.example.org/webhooks/${id}`]),
  );

/** Null for nodes that wait: they are asked again and again. */
function callOf(compiled: CompiledDefinition, state: RunState, nodeId: string, iteration: string): Call | null {
  if (nodeId.endsWith('.undo')) {
    const undo = state.undos.find((one) => one.id === nodeId && one.iteration === iteration);
    return { nodeId, iteration, input: undo?.input ?? null };
  }
  const node = compiled.nodes[compiled.indexOf.get(nodeId) ?? -1];
  if (node?.row.class !== 'activity' && node?.row.class !== 'child') return null;
  return { nodeId, iteration, input: findNode(compiled, state, nodeId, iteration)?.input ?? null };
}

/** Fused nodes have their input when the one before them has finished. */
function withInputs(calls: readonly Call[], { state, dropped }: SimulatedRun): Call[] {
  const known = new Map<string, NodeState | UndoState>();
  for (const node of [...dropped, ...executionsOf(state)]) known.set(`${node.id}#${node.iteration}`, node);
  return calls.map((call) => ({
    ...call,
    input: call.input ?? known.get(`${call.nodeId}#${call.iteration}`)?.input ?? null,
  }));
}

function resultOf(
  results: ScriptedResults,
  nodeId: string,
  iteration: string,
  taken: Map<string, number>,
): SimulatedResult | null {
  const key = [`${nodeId}#${iteration}`, nodeId].find((name) => Object.hasOwn(results, name));
  if (key === undefined) return null;
  const scripted = results[key] as SimulatedResult | readonly SimulatedResult[];
  if (!isList(scripted)) return scripted;
  const index = taken.get(key) ?? 0;
  taken.set(key, index + 1);
  return scripted[Math.min(index, scripted.length - 1)] ?? null;
}

const isList = (value: SimulatedResult | readonly SimulatedResult[]): value is readonly SimulatedResult[] =>
  Array.isArray(value);

/** The messages' own checks, asked of the state in which each comes. */
function firstRefusal(
  compiled: CompiledDefinition,
  events: readonly RunEvent[],
  steps: readonly (Step & { index: number })[],
  startAt: number,
): Refusal | null {
  const waiting = [...steps];
  let state = initialState(compiled);
  for (const event of events) {
    const position = waiting.findIndex((step) => startAt + step.afterMs === event.at && isSame(step.event, event));
    const [step] = position < 0 ? [] : waiting.splice(position, 1);
    const refusal = step ? refusalOf(compiled, state, step, event.at) : null;
    if (refusal) return refusal;
    state = evolve(compiled, state, event);
  }
  // What came when the run was closed, or the wait over, has left no event.
  const [late] = waiting;
  if (late === undefined) return null;
  return refusalOf(compiled, state, late, startAt + late.afterMs) ?? closedRefusal(late, state);
}

function closedRefusal({ index }: { index: number }, { status }: RunState): Refusal | null {
  const { code, message } = new AppError('RUN_CLOSED', { runId: '', runStatus: status });
  return { step: index, code, message: message.replace('  ', ' ') };
}

function isSame(happening: Happening, event: RunEvent): boolean {
  const { at: _, ...rest } = event;
  return JSON.stringify(rest) === JSON.stringify(happening);
}

function refusalOf(
  compiled: CompiledDefinition,
  state: RunState,
  step: Step & { index: number },
  now: number,
): Refusal | null {
  try {
    assertAllowed(compiled, state, step.event, now);
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { step: step.index, code: error.code, message: error.message };
  }
}

function assertAllowed(compiled: CompiledDefinition, state: RunState, event: Happening, now: number): void {
  switch (event.type) {
    case 'approval.decided':
      return void assertCanDecide(compiled, state, event, now);
    case 'webhook.received':
      return assertCanDeliver(compiled, state, event, now);
    case 'run.paused':
      return assertCanPause(state);
    case 'run.resumed':
      return assertCanResume(state);
    case 'variable.set':
      return assertCanSetVariable(compiled, state, event);
    case 'node.retry_requested':
      return assertCanRetry(compiled, state, event);
    case 'node.skip_requested':
      return assertCanSkip(compiled, state, event);
    default:
  }
}
