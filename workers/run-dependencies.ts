import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { RunDependencies } from '../activities/runs/run-activities.ts';
import { eventDepthOf, insertEmittedEvent } from '../adapters/postgres/emitted-event-store.ts';
import { readSchedule } from '../adapters/postgres/schedule-store.ts';
import { awaitChildResult } from '../temporal/child-result.ts';
import { insertFiring, requestFiringStop } from '../adapters/postgres/trigger-firing-store.ts';

/** What the activities of the runs room need of Postgres and Temporal; `clients` by namespace. */
export function runDependencies(pool: pg.Pool, clients: ReadonlyMap<string, Client>): RunDependencies {
  return {
    readSchedule: (key) => readSchedule(pool, key),
    insertFiring: (firing) => insertFiring(pool, firing),
    requestFiringStop: (holderId, reason) => requestFiringStop(pool, holderId, reason),
    insertEmittedEvent: (event) => insertEmittedEvent(pool, event),
    awaitChildResult: (runId, namespace, signal) => awaitChildResult(clients.get(namespace) as Client, runId, signal),
    eventDepthOf: (runId) => eventDepthOf(pool, runId),
  };
}
