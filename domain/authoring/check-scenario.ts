import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { canonicalJson } from '../runs/canonical-json.ts';
import { executionsOf } from '../runs/run-state.ts';
import { formatDuration } from './duration.ts';
import type { ScriptedRun } from './scenario.ts';

/** Objects in `error`, `nodes`, `calls` and `outputHas` name what has to be there; `output` is all of it. */
export type Expectation = {
  status?: string;
  output?: Json;
  outputHas?: Json;
  error?: Json;
  /** By node id or `<id>#<iteration>`: a status, or fields of the execution. */
  nodes?: { [node: string]: Json };
  /** By node id or `<id>.undo`: how often it was called, or the inputs of the calls. */
  calls?: { [node: string]: Json };
  /** Nodes in the order in which they were called; others may come between. */
  order?: Json;
  /** Codes of the steps that are refused. */
  refused?: Json;
  durationMs?: number;
};

/** Every way in which a run is not as expected; none when it is. */
export function checkScenario(run: ScriptedRun, then: Expectation): string[] {
  const { state } = run;
  const failures: string[] = [];
  const expect = (what: string, expected: Json, actual: Json, matches = includes(actual, expected)) => {
    if (!matches) failures.push(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  };
  if (then.status !== undefined) expect('status', then.status, state.status);
  if (then.output !== undefined) expect('output', then.output, state.output, isEqual(state.output, then.output));
  if (then.outputHas !== undefined) expect('output', then.outputHas, state.output);
  if (then.error !== undefined)
    expect('error', typeof then.error === 'string' ? { code: then.error } : then.error, state.error);
  for (const [node, expected] of Object.entries(then.nodes ?? {})) expectNode(node, expected, run, expect);
  for (const [node, expected] of Object.entries(then.calls ?? {})) expectCalls(node, expected, run, expect);
  if (Array.isArray(then.order)) expectOrder(then.order.map(String), run, failures);
  const codes = run.refusals.map(({ code }) => code);
  const refused = then.refused === undefined ? [] : Array.isArray(then.refused) ? then.refused : [then.refused];
  if (!isEqual(codes, refused)) {
    failures.push(
      `refused steps: expected ${show(refused)}, got ${show(run.refusals.map(({ code, message }) => `${code}: ${message}`))}`,
    );
  }
  if (then.durationMs !== undefined && then.durationMs !== run.durationMs) {
    failures.push(`duration: expected ${formatDuration(then.durationMs)}, got ${formatDuration(run.durationMs)}`);
  }
  if (run.stuck && run.unanswered.length > 0 && failures.length > 0) {
    failures.push(`the run waits for results of ${run.unanswered.join(', ')}: add them to given.results`);
  }
  return failures;
}

type Expect = (what: string, expected: Json, actual: Json, matches?: boolean) => void;

function expectNode(node: string, expected: Json, { state, dropped }: ScriptedRun, expect: Expect): void {
  const [id, iteration] = node.split('#');
  const all = [...executionsOf(state), ...dropped];
  const found = all.find((one) => one.id === id && (iteration === undefined || one.iteration === iteration));
  if (found === undefined) return expect(`node ${node}`, expected, 'no such execution', false);
  const actual: JsonObject = {
    status: found.status,
    attempts: found.attempts,
    input: found.input,
    output: found.output,
    error: found.error,
    ...('port' in found ? { port: found.port, handled: found.handled } : {}),
  };
  if (typeof expected === 'string') return expect(`node ${node}`, expected, found.status);
  expect(
    `node ${node}`,
    expected,
    isJsonObject(expected) ? only(actual, Object.keys(expected)) : actual,
    includes(actual, expected),
  );
}

const only = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.map((name) => [name, value[name] ?? null]));

function expectCalls(node: string, expected: Json, { calls }: ScriptedRun, expect: Expect): void {
  const inputs = calls.filter(({ nodeId }) => nodeId === node).map(({ input }) => input);
  if (typeof expected === 'number') return expect(`calls of ${node}`, expected, inputs.length);
  const wanted = Array.isArray(expected) ? expected : [expected];
  expect(`calls of ${node}`, wanted, inputs);
}

function expectOrder(order: readonly string[], { calls }: ScriptedRun, failures: string[]): void {
  let position = 0;
  for (const { nodeId } of calls) if (nodeId === order[position]) position += 1;
  if (position < order.length) {
    failures.push(
      `order: expected ${order.join(', ')}, got ${calls.map(({ nodeId }) => nodeId).join(', ') || 'no calls'}`,
    );
  }
}

/** Whether a value has what is expected: an object may have more fields, anything else is the same. */
function includes(actual: Json, expected: Json): boolean {
  if (isJsonObject(expected)) {
    return (
      isJsonObject(actual) && Object.entries(expected).every(([key, value]) => includes(actual[key] ?? null, value))
    );
  }
  if (!Array.isArray(expected)) return isEqual(actual, expected);
  return (
    Array.isArray(actual) &&
    actual.length === expected.length &&
    expected.every((one, index) => includes(actual[index] ?? null, one))
  );
}

const isEqual = (left: Json, right: Json): boolean => canonicalJson(left) === canonicalJson(right);

function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 400 ? `${text.slice(0, 397)}...` : text;
}
