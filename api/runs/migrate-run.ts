import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { MigrateArguments } from '../../domain/runs/messages.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import { migrateRunWorkflow } from '../../temporal/migrate-run-workflow.ts';
import type { Principal } from '../access/principal.ts';
import { caughtUp, openRun } from './answer-run.ts';
import type { RunsDeps } from './deps.ts';
import { ensureStarted } from './execute-workflow.ts';
import { parseMapping } from './fleet-check.ts';
import { readRunOf, readWorkflow } from './read-runs.ts';
import { refuseDeprecated } from './workflow-versions.ts';

export type MigrateRun = {
  runId: string;
  /** Default is the latest. */
  toVersion?: number | null | undefined;
  mapping?: Json | undefined;
  reason?: string | null | undefined;
};

const ANSWER_MARGIN_MS = 1_000;

/**
 * Lets a run go on in another version of its workflow, as soon as no activity of it is under way. Gives the run in that version, or
 * as it is when that takes longer than `waitMs`: it goes over by itself.
 * @throws NOT_FOUND, RUN_CLOSED, RUN_QUEUED, VERSION_DEPRECATED, MIGRATION_REFUSED with every problem
 */
export async function migrateRun(
  deps: RunsDeps,
  principal: Principal,
  request: MigrateRun,
  waitMs = deps.settings.WEFT_SUBGRAPH_TIMEOUT_MS - ANSWER_MARGIN_MS,
): Promise<RunRecord> {
  const mapping = parseMapping(request.mapping);
  const run = await openRun(deps, principal, request.runId);
  const target = await targetOf(deps, principal, run, request.toVersion ?? undefined);
  if (target.version === run.version) return run;
  await ensureStarted(deps, run);
  const { version, hash } = target;
  const reason = request.reason ?? null;
  const message: MigrateArguments = { version, hash, mapping, by: principal.subject, reason };
  const outcome = await migrateRunWorkflow(deps.temporal, run.id, message, target.definition, waitMs);
  deps.log.info({ runId: run.id, from: run.version, to: version, outcome, reason }, 'run migrated');
  if (outcome === 'on_its_way') return run;
  return caughtUp(deps, principal, run, async () => (await readRunOf(deps, principal, run.id))?.version === version);
}

async function targetOf(
  deps: RunsDeps,
  principal: Principal,
  { workflowId }: RunRecord,
  version: number | undefined,
): Promise<PublishedDefinition> {
  const published = await readWorkflow(deps, principal, workflowId, version);
  if (!published) throw new AppError('NOT_FOUND', { what: 'Workflow', id: `${workflowId} version ${version ?? ''}` });
  await refuseDeprecated(deps, published);
  return published;
}
