import type { Json } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { CompiledDefinition } from '../compile.ts';
import { isNodeType, nodeTypeRow } from '../node-types.ts';
import type { RunError } from '../run-event.ts';
import type { RunRecord } from '../run-record.ts';
import { simulate } from '../simulate.ts';
import type { EarlierExecution } from './earlier-run.ts';
import { durationOf, resultOf, type Totals, totalsOf, usageOf } from './plan-rerun.ts';

export type ComparedRun = Pick<RunRecord, 'id' | 'status' | 'input' | 'output' | 'error'> & {
  compiled: CompiledDefinition;
  executions: readonly EarlierExecution[];
};
export type RunDifference = { what: string; before: Json; after: Json };
/** A call that would have asked for something else: it answered as it had, or nothing was recorded that could answer. */
export type Divergence = { nodeId: string; iteration: string; recorded: boolean; before: Json; after: Json };
export type RunComparison = {
  same: boolean;
  /** Of `status`, `output` and its fields, `error`. */
  differences: RunDifference[];
  /** Executions that only one of the two has, or that were left by another port. */
  path: RunDifference[];
  divergences: Divergence[];
  /** Nodes that really ran again. */
  ran: string[];
  /** As on a machine where nothing waits for a free worker. */
  durationMs: { before: number | null; after: number | null };
  cost: { before: Totals; after: Totals };
};

const MAX_STEPS = 20_000;

/** A run and its counterfactual one, which has the answers of the first but for what really ran. */
export function compareRuns(before: ComparedRun, after: ComparedRun): RunComparison {
  const [old, now] = [byPlace(before), byPlace(after)];
  const divergences = divergencesOf(old, now);
  const ran = [...now.values()].filter((one) => one.reusedFrom === null && worked(one));
  // What answered as it did took as long as it did.
  const timed = [...now.values()].map((one) => {
    const earlier = one.reusedFrom === null ? undefined : old.get(placeOf(one));
    return earlier ? { ...one, startedAt: earlier.startedAt, closedAt: earlier.closedAt } : one;
  });
  const differences = outcomeDifferences(before, after);
  const path = pathDifferences(old, now);
  return {
    same: differences.length + path.length + divergences.length === 0,
    differences,
    path,
    divergences,
    ran: ran.map(placeOf),
    durationMs: { before: lengthOf(before, before.executions), after: lengthOf(after, timed) },
    cost: { before: costOf(before.executions), after: costOf(timed) },
  };
}

const placeOf = ({ nodeId, iteration }: EarlierExecution): string => `${nodeId}#${iteration}`;
const byPlace = ({ executions }: ComparedRun): Map<string, EarlierExecution> =>
  new Map(executions.filter(({ nodeId }) => !nodeId.endsWith('.undo')).map((one) => [placeOf(one), one]));

const classOf = ({ type }: EarlierExecution) => (isNodeType(type) ? nodeTypeRow(type).class : 'none');
const worked = (one: EarlierExecution): boolean =>
  (classOf(one) === 'activity' || classOf(one) === 'child') &&
  one.startedAt !== null &&
  one.error?.code !== 'NOT_RECORDED';

function outcomeDifferences(before: ComparedRun, after: ComparedRun): RunDifference[] {
  const of = ({ status, output, error }: ComparedRun) => ({ status, output, error: errorOf(error) });
  return fieldsThatDiffer('', of(before), of(after));
}

const errorOf = (error: RunError | null): Json => (error ? { code: error.code, nodeId: error.nodeId } : null);

/** One level deeper where both are objects. */
function fieldsThatDiffer(prefix: string, before: Json, after: Json): RunDifference[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const [left, right] = [asObject(before), asObject(after)];
  if (left === null || right === null) return [{ what: prefix, before, after }];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.flatMap((name) => {
    const [one = null, other = null] = [left[name], right[name]];
    const what = prefix === '' ? name : `${prefix}.${name}`;
    if (prefix === '') return fieldsThatDiffer(what, one, other);
    return canonicalJson(one) === canonicalJson(other) ? [] : [{ what, before: one, after: other }];
  });
}

const asObject = (value: Json): { [name: string]: Json } | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;

type Executions = ReadonlyMap<string, EarlierExecution>;

function pathDifferences(old: Executions, now: Executions): RunDifference[] {
  const shown = (one: EarlierExecution | undefined) =>
    one === undefined || one.status === 'PENDING' || (one.status === 'SKIPPED' && one.port === null)
      ? null
      : `${one.status}${one.port === null ? '' : ` ${one.port}`}`;
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((what) => {
    const [before, after] = [shown(old.get(what)), shown(now.get(what))];
    return before === after ? [] : [{ what, before, after }];
  });
}

function divergencesOf(old: Executions, now: Executions): Divergence[] {
  return [...now.values()].flatMap((one): Divergence[] => {
    const { nodeId, iteration, input, reusedFrom } = one;
    const before = old.get(placeOf(one))?.input ?? null;
    if (one.error?.code === 'NOT_RECORDED') return [{ nodeId, iteration, recorded: false, before: null, after: input }];
    if (reusedFrom === null || classOf(one) === 'container' || canonicalJson(before) === canonicalJson(input))
      return [];
    return [{ nodeId, iteration, recorded: true, before, after: input }];
  });
}

/** From start to end on the simulator's clock, with the durations of the executions; null where that gives no end. */
function lengthOf({ compiled, input }: ComparedRun, executions: readonly EarlierExecution[]): number | null {
  const known = new Map(executions.map((one) => [placeOf(one), one]));
  const { state, stuck } = simulate(compiled, {
    input,
    results: (id, _, iteration) => {
      const one = known.get(`${id}#${iteration}`);
      if (one?.status !== 'FAILED') return resultOf(one);
      const { code, message, hint } = one.error ?? { code: 'NODE_FAILED', message: '', hint: null };
      return { error: { code, message, hint }, durationMs: durationOf(one) ?? 0 };
    },
    maxSteps: MAX_STEPS,
  });
  return stuck || state.closedAt === null || state.startedAt === null ? null : state.closedAt - state.startedAt;
}

function costOf(executions: readonly EarlierExecution[]): Totals {
  const working = executions.filter((one) => classOf(one) === 'activity' || classOf(one) === 'child');
  return totalsOf(working.map((one) => ({ durationMs: durationOf(one), usage: usageOf(one.output) })));
}
