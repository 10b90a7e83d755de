import {
  type Client,
  WorkflowUpdateFailedError,
  type WorkflowUpdateHandle,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  WorkflowUpdateStage,
} from '@temporalio/client';
import { AppError } from '../domain/errors.ts';
import type { RunId } from '../domain/identifiers.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { type DefinitionArgument, MIGRATE_UPDATE, type MigrateArguments } from '../domain/runs/messages.ts';
import { closedOrUnknown, refusedUpdate, UPDATE_DEADLINE_MS } from './run-commands.ts';

/**
 * Asks a run to go on in another version, and waits so long for it to do so.
 * @throws AppError MIGRATION_REFUSED, NOT_FOUND, RUN_CLOSED, TEMPORAL_UNAVAILABLE
 */
export async function migrateRunWorkflow(
  client: Client,
  runId: RunId,
  request: MigrateArguments,
  definition: WorkflowDefinition,
  waitMs: number,
): Promise<'migrated' | 'on_its_way'> {
  const until = Date.now() + waitMs;
  const args: [MigrateArguments, DefinitionArgument] = [request, { weftDefinition: definition }];
  let accepted: WorkflowUpdateHandle<unknown>;
  try {
    accepted = await client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
      client.workflow
        .getHandle(runId)
        .startUpdate(MIGRATE_UPDATE, { args, waitForStage: WorkflowUpdateStage.ACCEPTED }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusedUpdate(runId, error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new AppError('TEMPORAL_UNAVAILABLE', { detail: 'no worker took the request in time' }, error);
    }
    throw await closedOrUnknown(client, runId, error);
  }
  try {
    await client.withDeadline(until, () => accepted.result());
    return 'migrated';
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusedUpdate(runId, error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'on_its_way';
    throw await closedOrUnknown(client, runId, error);
  }
}
