import type { Json, JsonObject } from '../json.ts';
import { childRunId } from '../runs/child-run-id.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import { findNode } from '../runs/place.ts';
import type { RunEvent } from '../runs/run-event.ts';
import type { RunState } from '../runs/run-state.ts';

/** A run that a node of another has started; of the same definition where it is a slice of a map. */
export type ChildRun = {
  runId: string;
  nodeId: string;
  iteration: string;
  input: Json;
  startedAt: Date;
  /** Null: the parent's own. */
  definition: { workflowId: string; version: number; hash: string } | null;
};

/** The child run whose start an event tells of; `state` is that after the event. */
export function childRunOf(
  parentRunId: string,
  compiled: CompiledDefinition,
  state: RunState,
  event: RunEvent,
): ChildRun | null {
  if (event.type !== 'child.started') return null;
  const { nodeId, iteration, chunk } = event;
  const child = { runId: childRunId(parentRunId, event), nodeId, iteration, startedAt: new Date(event.at) };
  if (chunk !== null) return { ...child, input: state.input, definition: null };
  const config = (findNode(compiled, state, nodeId, iteration)?.input ?? {}) as JsonObject;
  const definition = {
    workflowId: String(config['workflow']),
    version: Number(config['version']),
    hash: String(config['hash']),
  };
  return { ...child, input: config['input'] ?? {}, definition };
}
