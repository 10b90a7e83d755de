import type { ChangedExecutions } from '../../events/changed-executions.ts';
import type { Json, JsonObject } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { executionsOf, type NodeState, type RunState, type UndoState } from '../run-state.ts';
import { joinVariables, variableValues } from '../variables.ts';

export type Change = { name: string; before: Json; after: Json };
/** An execution of a node that did not exist before has `null` there in every field. */
export type ExecutionChange = { nodeId: string; iteration: string; fields: Change[] };
export type RunDiff = {
  /** `status`, `output`, `error`, `paused`, `startedAt` and `closedAt` of the run. */
  run: Change[];
  variables: Change[];
  nodes: ExecutionChange[];
};

/** What is different in a run between two of its states; `changed` has seen everything in between, bodies that have ended too. */
export function diffRun(before: RunState, after: RunState, changed: ChangedExecutions): RunDiff {
  const earlier = new Map(executionsOf(before).map((node) => [keyOf(node), viewOf(node)]));
  const nodes = changed.all().map(({ node }) => ({
    nodeId: node.id,
    iteration: node.iteration,
    fields: changesOf(earlier.get(keyOf(node)) ?? {}, viewOf(node)),
  }));
  return {
    run: changesOf(runView(before), runView(after)),
    variables: changesOf(variablesNow(before), variablesNow(after)),
    nodes: nodes.filter(({ fields }) => fields.length > 0),
  };
}

/** The run's own are settled at its end; until then the latest value is on its way out of some node. */
function variablesNow({ variables, nodes }: RunState): JsonObject {
  return variableValues(
    joinVariables([variables, ...nodes.flatMap((node) => (node.variables === null ? [] : [node.variables]))]),
  );
}

const keyOf = ({ id, iteration }: NodeState | UndoState): string => `${id}#${iteration}`;
const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function runView({ status, output, error, paused, startedAt, closedAt }: RunState): JsonObject {
  return {
    status,
    output,
    error,
    paused: paused && { ...paused },
    startedAt: time(startedAt),
    closedAt: time(closedAt),
  };
}

function viewOf(node: NodeState | UndoState): JsonObject {
  const { status, attempts, input, output, error, startedAt, closedAt } = node;
  const view: JsonObject = {
    status,
    attempts,
    input,
    output,
    error,
    startedAt: time(startedAt),
    closedAt: time(closedAt),
  };
  if (!('port' in node)) return view;
  const { port, handled, answers } = node;
  return { ...view, port, handled, answers: answers.map((answer) => ({ ...answer })) };
}

function changesOf(before: JsonObject, after: JsonObject): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const change = { name, before: valueOf(before, name), after: valueOf(after, name) };
    return canonicalJson(change.before) === canonicalJson(change.after) ? [] : [change];
  });
}

const valueOf = (values: JsonObject, name: string): Json =>
  Object.hasOwn(values, name) ? (values[name] ?? null) : null;
