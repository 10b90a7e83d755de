import { isJsonObject, type Json } from '../../json.ts';
import type { CompiledDefinition } from '../compile.ts';
import type { ApprovalDecision } from '../run-event.ts';
import { executionsOf, type NodeState, type RunState, type UndoState } from '../run-state.ts';
import { type SimulatedResult, simulate } from '../simulate.ts';
import type { EarlierExecution, EarlierRun } from './earlier-run.ts';
import type { Seed } from './seed.ts';

/**
 * REUSED: its result is taken over. RUNS: it begins for certain, or as soon as what is before it has ended. DEPENDS: it is taken over
 * when the nodes before it come to what they came to last time, else it runs. UNKNOWN: nothing is known of what comes before it.
 */
export type PlannedAction = 'REUSED' | 'RUNS' | 'DEPENDS' | 'UNKNOWN';
export type PlannedExecution = {
  nodeId: string;
  iteration: string;
  type: string;
  action: PlannedAction;
  /** The run that did the work. */
  runId: string | null;
  /** What it took and cost last time; null where that is not known. */
  durationMs: number | null;
  usage: Usage | null;
};
export type Usage = { inputTokens: number; outputTokens: number; costMicroUsd: number | null };
export type Totals = { executions: number; durationMs: number } & Usage;
export type RerunPlan = {
  executions: PlannedExecution[];
  /** Of what is taken over, and of what runs or may run, as it was last time. */
  saved: Totals;
  spent: Totals;
};

export type Beginning = { input: Json; seed?: Seed; forked?: RunState };
const MAX_STEPS = 50_000;

/** What a rerun would do, found out on the simulator: once with nothing known of what runs, once as it went last time. */
export function planRerun(earlier: EarlierRun, to: CompiledDefinition, beginning: Beginning): RerunPlan {
  const certain = play(to, beginning, () => null);
  const known = new Map(earlier.executions.map((one) => [`${one.nodeId}#${one.iteration}`, one]));
  const likely = play(to, beginning, (id, iteration) => resultOf(known.get(`${id}#${iteration}`)));
  const names = new Set([...certain.reused.keys(), ...certain.ran, ...likely.reused.keys(), ...likely.ran]);
  const executions = [...names].map((name): PlannedExecution => {
    const [nodeId = '', iteration = ''] = name.split('#');
    const before = known.get(name);
    return {
      nodeId,
      iteration,
      type: to.nodes[to.indexOf.get(nodeId) ?? -1]?.type ?? '',
      action: certain.reused.has(name) ? 'REUSED' : likely.reused.has(name) ? 'DEPENDS' : 'RUNS',
      runId: certain.reused.get(name) ?? likely.reused.get(name) ?? null,
      durationMs: before ? durationOf(before) : null,
      usage: before ? usageOf(before.output) : null,
    };
  });
  executions.push(...unknown(to, names, likely.state));
  const order = (id: string) => to.indexOf.get(id) ?? -1;
  executions.sort((left, right) => order(left.nodeId) - order(right.nodeId));
  const reused = executions.filter(({ action }) => action === 'REUSED');
  return {
    executions,
    saved: totalsOf(reused),
    spent: totalsOf(executions.filter((one) => one.action !== 'REUSED')),
  };
}

/** Nodes that work outside of the engine and that even the second play does not come to. */
function unknown(to: CompiledDefinition, names: ReadonlySet<string>, state: RunState): PlannedExecution[] {
  return state.nodes
    .filter(({ id, status }) => status === 'PENDING' && !names.has(`${id}#1`))
    .filter(({ id }) => to.nodes[to.indexOf.get(id) ?? -1]?.row.class !== 'inline')
    .map(({ id, iteration, type }) => ({
      nodeId: id,
      iteration,
      type,
      action: 'UNKNOWN',
      runId: null,
      durationMs: null,
      usage: null,
    }));
}

type Played = { reused: Map<string, string | null>; ran: Set<string>; state: RunState };

function play(
  to: CompiledDefinition,
  beginning: Beginning,
  resultOfNode: (id: string, iteration: string) => SimulatedResult | null,
): Played {
  const ran = new Set<string>();
  const results = (id: string, _: RunState, iteration: string): SimulatedResult | null => {
    if (id.endsWith('.undo')) return null;
    ran.add(`${id}#${iteration}`);
    return resultOfNode(id, iteration);
  };
  const { state, dropped } = simulate(to, { ...beginning, results, maxSteps: MAX_STEPS });
  const all = [...executionsOf(state), ...dropped].filter((one): one is NodeState => !isUndo(one));
  const reused = new Map(all.flatMap((one) => (one.reused === undefined ? [] : [[nameOf(one), one.reused] as const])));
  return { reused, ran, state };
}

const isUndo = (one: NodeState | UndoState): one is UndoState => !('port' in one);
const nameOf = ({ id, iteration }: NodeState): string => `${id}#${iteration}`;

/** As it went; null where it failed, since that is why it runs again, and for waits that their own timer ended. */
export function resultOf(execution: EarlierExecution | undefined): SimulatedResult | null {
  if (execution === undefined) return null;
  const { type, status, port, output } = execution;
  const durationMs = durationOf(execution) ?? 0;
  if (status !== 'COMPLETED' || port === 'timed_out') return null;
  if (type === 'delay' || type === 'until') return null;
  if (type === 'approval') return { ...answerOf(output), durationMs };
  if (type === 'wait' || type === 'webhook') {
    return { event: isJsonObject(output) ? (output['data'] ?? null) : null, durationMs };
  }
  return { output, durationMs };
}

function answerOf(output: Json): { decision: ApprovalDecision; data?: Json } {
  if (!isJsonObject(output)) return { decision: 'REJECTED' };
  const { decision, data } = output;
  return { decision: decision === 'APPROVED' ? 'APPROVED' : 'REJECTED', ...(data === undefined ? {} : { data }) };
}

export function durationOf({ startedAt, closedAt }: EarlierExecution): number | null {
  return startedAt && closedAt ? Math.max(0, closedAt.getTime() - startedAt.getTime()) : null;
}

/** What a model's answer says of its own cost. */
export function usageOf(output: Json): Usage | null {
  if (!isJsonObject(output) || !isJsonObject(output['usage'])) return null;
  const { usage, costMicroUsd } = output;
  const { inputTokens, outputTokens } = usage;
  const count = (value: Json | undefined) => (typeof value === 'number' ? value : 0);
  return {
    inputTokens: count(inputTokens),
    outputTokens: count(outputTokens),
    costMicroUsd: typeof costMicroUsd === 'number' ? costMicroUsd : null,
  };
}

export function totalsOf(executions: readonly Pick<PlannedExecution, 'durationMs' | 'usage'>[]): Totals {
  const usages = executions.flatMap(({ usage }) => (usage ? [usage] : []));
  const costs = usages.flatMap(({ costMicroUsd }) => (costMicroUsd === null ? [] : [costMicroUsd]));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    executions: executions.length,
    durationMs: sum(executions.map(({ durationMs }) => durationMs ?? 0)),
    inputTokens: sum(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(usages.map(({ outputTokens }) => outputTokens)),
    costMicroUsd: costs.length === 0 ? null : sum(costs),
  };
}
