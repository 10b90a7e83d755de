import { isJsonObject, type Json } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { CompiledDefinition } from '../compile.ts';
import { isNodeType, nodeTypeRow } from '../node-types.ts';
import type { ApprovalDecision } from '../run-event.ts';
import type { NodeExecutionRecord, RunRecord } from '../run-record.ts';
import type { RunState } from '../run-state.ts';
import { type SimulatedResult, simulate } from '../simulate.ts';
import { correspond, type NodeMapping } from './node-mapping.ts';

/** A run that has ended and what its nodes came to; those of child runs that did items of a map for it are among them. */
export type ClosedRun = Pick<RunRecord, 'input' | 'status'> & {
  executions: readonly Pick<
    NodeExecutionRecord,
    'nodeId' | 'iteration' | 'type' | 'status' | 'port' | 'output' | 'error' | 'startedAt' | 'closedAt'
  >[];
};
export type ClosedRunVerdict = 'SAME' | 'ENDS_DIFFERENTLY' | 'INCOMPARABLE';
export type Difference = { what: string; before: string | null; after: string | null };
export type ClosedRunCheck = {
  verdict: ClosedRunVerdict;
  differences: Difference[];
  /** Nodes that the new version runs and of which nothing is known. */
  missing: string[];
};

const MAX_STEPS = 20_000;
const MOST_DIFFERENCES = 20;
const SHOWN_CHARACTERS = 200;

/** Plays a closed run again in its own version and in another, with the results that its nodes had, and compares. */
export function checkClosedRun(
  from: CompiledDefinition,
  to: CompiledDefinition,
  run: ClosedRun,
  mapping: NodeMapping,
): ClosedRunCheck {
  const { sourceOf, targetOf } = correspond(from, to, mapping);
  const before = play(from, run, (id) => id);
  const played = before.missing.length === 0 && before.state.status === run.status;
  if (!played) return { verdict: 'INCOMPARABLE', differences: [], missing: [] };
  const after = play(to, run, (id) => sourceOf(id)?.id ?? null);
  const differences = compare(before.state, after.state, (id) => targetOf(id)?.id ?? null);
  const verdict = differences.length > 0 || after.missing.length > 0 ? 'ENDS_DIFFERENTLY' : 'SAME';
  return { verdict, differences: differences.slice(0, MOST_DIFFERENCES), missing: after.missing };
}

function play(
  compiled: CompiledDefinition,
  run: ClosedRun,
  oldIdOf: (id: string) => string | null,
): { state: RunState; missing: string[] } {
  const known = new Map(run.executions.map((one) => [`${one.nodeId}#${one.iteration}`, one]));
  const missing = new Set<string>();
  const results = (id: string, _: RunState, iteration: string): SimulatedResult | null => {
    if (id.endsWith('.undo')) return null;
    const old = oldIdOf(id);
    const execution = old === null ? undefined : known.get(`${old}#${iteration}`);
    if (execution && isDone(execution)) return resultOf(execution);
    missing.add(id);
    return null;
  };
  const { state } = simulate(compiled, { input: run.input, results, maxSteps: MAX_STEPS });
  return { state, missing: [...missing] };
}

const isDone = ({ status }: ClosedRun['executions'][number]): boolean => status === 'COMPLETED' || status === 'FAILED';

/** Null where the node's own timer decides. */
function resultOf(execution: ClosedRun['executions'][number]): SimulatedResult | null {
  const { type, status, port, output, error, startedAt, closedAt } = execution;
  const durationMs = startedAt && closedAt ? Math.max(0, closedAt.getTime() - startedAt.getTime()) : 0;
  const waits = isNodeType(type) && nodeTypeRow(type).class === 'wait';
  if (port === 'timed_out' || (waits && error?.code.includes('TIMED_OUT'))) return null;
  if (type === 'approval') return { ...answerOf(output), durationMs };
  if (waits) return { event: isJsonObject(output) ? (output['data'] ?? null) : null, durationMs };
  if (status === 'COMPLETED') return { output, durationMs };
  const { code, message, hint } = error ?? { code: 'NODE_FAILED', message: '', hint: null };
  return { error: { code, message, hint }, durationMs };
}

function answerOf(output: Json): { decision: ApprovalDecision; comment?: string; data?: Json; decidedBy?: string } {
  if (!isJsonObject(output)) return { decision: 'REJECTED' };
  const { decision, comment, data, decidedBy } = output;
  return {
    decision: decision === 'APPROVED' ? 'APPROVED' : 'REJECTED',
    ...(typeof comment === 'string' ? { comment } : {}),
    ...(data === undefined ? {} : { data }),
    ...(typeof decidedBy === 'string' ? { decidedBy } : {}),
  };
}

function compare(before: RunState, after: RunState, targetOf: (id: string) => string | null): Difference[] {
  const differences: Difference[] = [];
  const add = (what: string, left: string | null, right: string | null) => {
    if (left !== right) differences.push({ what, before: left, after: right });
  };
  add('status', before.status, after.status);
  add('output', shown(before.output), shown(after.output));
  add('error', before.error?.code ?? null, after.error?.code ?? null);
  const later = new Map(after.nodes.map((node) => [node.id as string, node]));
  for (const node of before.nodes) {
    const target = later.get(targetOf(node.id) ?? '');
    add(`node ${node.id}`, wayOf(node), target ? wayOf(target) : null);
  }
  return differences;
}

const wayOf = ({ status, port }: RunState['nodes'][number]): string =>
  port === null ? status : `${status} by ${port}`;

function shown(value: Json): string {
  const text = canonicalJson(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}... (${text.length} characters)` : text;
}
