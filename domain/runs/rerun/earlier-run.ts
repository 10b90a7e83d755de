import type { Json } from '../../json.ts';
import type { CompiledDefinition } from '../compile.ts';
import type { NodeExecutionRecord } from '../run-record.ts';
import type { RunState } from '../run-state.ts';
import type { RunStatus } from '../run-status.ts';
import type { Implementations } from './content-key.ts';

export type EarlierExecution = Pick<
  NodeExecutionRecord,
  | 'runId'
  | 'nodeId'
  | 'iteration'
  | 'type'
  | 'status'
  | 'port'
  | 'handled'
  | 'input'
  | 'output'
  | 'error'
  | 'startedAt'
  | 'closedAt'
  | 'reusedFrom'
>;

/** A run whose results another may take over. */
export type EarlierRun = {
  id: string;
  status: RunStatus;
  input: Json;
  /** As it was known last. */
  compiled: CompiledDefinition;
  state: RunState;
  /** Those of child runs that did items of a map for it included. */
  executions: readonly EarlierExecution[];
  /** With which its nodes ran. */
  implementations: Implementations;
};

/** Whether what it has done was left behind, so that whoever goes on from it answers for that. */
export const endedBadly = ({ status }: Pick<EarlierRun, 'status'>): boolean =>
  status === 'FAILED' || status === 'CANCELLED' || status === 'TERMINATED' || status === 'TIMED_OUT';
