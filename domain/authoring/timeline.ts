import type { Json } from '../json.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import { evolve } from '../runs/evolve.ts';
import type { RunEvent } from '../runs/run-event.ts';
import { executionsOf, initialState, type RunState } from '../runs/run-state.ts';
import { formatDuration } from './duration.ts';

export type TimelineEntry = {
  /** Since the start. */
  afterMs: number;
  /** Null for the run itself. */
  nodeId: string | null;
  iteration: string | null;
  status: string;
  port: string | null;
  error: string | null;
  output: Json;
};

type Seen = { id: string; iteration: string; status: string; port: string | null; error: string | null; output: Json };

/** Each change of the run and of its nodes, inline ones too, that the events make when they are folded again. */
export function timelineOf(compiled: CompiledDefinition, events: readonly RunEvent[]): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  const startAt = events[0]?.at ?? 0;
  let state = initialState(compiled);
  let before = new Map<string, string>();
  for (const event of events) {
    const status = state.status;
    state = evolve(compiled, state, event);
    const afterMs = event.at - startAt;
    const begins = status === 'PENDING';
    if (begins) entries.push(runEntry(afterMs, state));
    const after = new Map<string, string>();
    for (const node of seenIn(state)) {
      const key = `${node.id}#${node.iteration}`;
      after.set(key, node.status);
      if (node.status === (before.get(key) ?? 'PENDING')) continue;
      entries.push({ afterMs, nodeId: node.id, ...pick(node) });
    }
    before = after;
    if (!begins && state.status !== status) entries.push(runEntry(afterMs, state));
  }
  return entries;
}

const pick = ({ iteration, status, port, error, output }: Seen) => ({ iteration, status, port, error, output });

function seenIn(state: RunState): Seen[] {
  return [...state.dropped, ...executionsOf(state)].map((node) => ({
    id: node.id,
    iteration: node.iteration,
    status: node.status,
    port: 'port' in node ? node.port : null,
    error: node.error ? `${node.error.code}: ${node.error.message}` : null,
    output: node.output,
  }));
}

function runEntry(afterMs: number, { status, error, output }: RunState): TimelineEntry {
  const said = error ? `${error.code}: ${error.message}` : null;
  return { afterMs, nodeId: null, iteration: null, status, port: null, error: said, output };
}

export function describeTimeline(entries: readonly TimelineEntry[]): string[] {
  return entries.map(({ afterMs, nodeId, iteration, status, port, error }) => {
    const name = nodeId === null ? 'run' : `${nodeId}${iteration === '1' ? '' : `#${iteration}`}`;
    const by = port !== null && port !== 'out' && status === 'COMPLETED' ? ` by ${port}` : '';
    return `${formatDuration(afterMs).padStart(10)}  ${name.padEnd(24)} ${status}${by}${error === null ? '' : ` (${error})`}`;
  });
}
