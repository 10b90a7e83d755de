import type { Operation } from './operation-permissions.ts';

/** For how many requests an operation counts; 1 where it has no row. */
const OPERATION_COSTS: Readonly<Partial<Record<Operation | (string & {}), number>>> = {
  startBatch: 5,
  fleetCheck: 5,
  rebuildProjection: 5,
  backfillSchedule: 5,
  checkSchema: 5,
  publishSchema: 5,
  searchRuns: 2,
  explainWorkflow: 2,
  expressionCompletions: 0.2,
  me: 0.1,
};

export const operationCost = (operation: string): number => OPERATION_COSTS[operation] ?? 1;
