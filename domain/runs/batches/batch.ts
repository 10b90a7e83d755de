import type { TenantId } from '../../identifiers.ts';
import type { JsonObject } from '../../json.ts';
import type { Labels } from '../flow-control/labels.ts';
import type { Rehearsal } from '../rerun/seed.ts';
import type { RunStatus } from '../run-status.ts';
import type { NodeMapping } from '../versions/node-mapping.ts';

/** What a batch does to each run. */
export const BATCH_OPERATIONS = [
  'CANCEL',
  'TERMINATE',
  'PAUSE',
  'RESUME',
  'RETRY',
  'MIGRATE',
  'COUNTERFACTUAL',
] as const;
export type BatchOperation = (typeof BATCH_OPERATIONS)[number];

export const BATCH_STATUSES = ['RUNNING', 'COMPLETED', 'CANCELLED'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** Which runs a batch is about: those that all of this is true of when it is started. */
export type BatchFilter = {
  status: readonly RunStatus[];
  workflowId: string | null;
  labels: Labels;
  /** Made at or after. */
  createdAfter: Date | null;
  /** Made before. */
  createdBefore: Date | null;
  /** No others. */
  runIds?: readonly string[];
};

/** Where the runs of a MIGRATE go. Without a version: the latest when a run has its turn. */
export type BatchMigration = { toVersion: number | null; mapping: NodeMapping };

/** What is different in a counterfactual run: the version of a workflow that is kept for it, and which of its nodes really run. */
export type WhatIf = { workflowId: string; version: number; rehearsal: Rehearsal; changes: JsonObject };

export type BatchRecord = {
  id: string;
  tenantId: TenantId;
  operation: BatchOperation;
  status: BatchStatus;
  filter: BatchFilter;
  /** Of a MIGRATE alone. */
  migration: BatchMigration | null;
  /** Of a COUNTERFACTUAL alone. */
  whatIf: WhatIf | null;
  reason: string | null;
  dryRun: boolean;
  createdBy: string | null;
  /** Runs chosen. */
  total: number;
  /** Runs that the operation has been done to. */
  done: number;
  /** Runs that it could not be done to. */
  failed: number;
  createdAt: Date;
  closedAt: Date | null;
};

export type BatchError = { runId: string; code: string; message: string };

/** The statuses that an operation can do something to, which a batch chooses from when it names none. */
export const BATCH_STATUSES_OF: Readonly<Record<BatchOperation, readonly RunStatus[]>> = {
  CANCEL: ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'],
  TERMINATE: ['PENDING', 'RUNNING', 'WAITING', 'PAUSED', 'COMPENSATING'],
  PAUSE: ['RUNNING', 'WAITING'],
  RESUME: ['PAUSED'],
  RETRY: ['PAUSED'],
  MIGRATE: ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'],
  COUNTERFACTUAL: ['COMPLETED', 'FAILED'],
};
