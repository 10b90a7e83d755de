import type pg from 'pg';
import {
  definitionHash as toHash,
  type RunId,
  runId,
  type TenantId,
  type WorkflowId,
} from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { Implementations } from '../../domain/runs/rerun/content-key.ts';
import type { EarlierExecution, EarlierRun } from '../../domain/runs/rerun/earlier-run.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { createCompiledDefinitions } from './compiled-definitions.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { readColumns } from './large-values.ts';
import { listNodeExecutionsOfRuns } from './node-store.ts';
import { createPayloadStore } from './payload-store.ts';
import { readStateOf } from './run-state-at.ts';
import { type Beginning, listRuns } from './run-store.ts';

const PAGE = 5_000;

/** With the version that it ran there. */
export type EarlierPoint = EarlierRun & { sequence: number; definitionHash: string; version: number };

/** What a run that takes over results of another begins with; null where it has not been one. */
export async function readBeginning(pool: pg.Pool, id: RunId): Promise<Beginning | null> {
  const { rows } = await pool.query<{ seed: Json }>('SELECT seed FROM runs WHERE id = $1', [id]);
  const [seed = null] = await readColumns(createPayloadStore(pool), [rows[0]?.seed ?? null]);
  return seed as Beginning | null;
}

/** A run with all that it came to, from what is stored here: Temporal may have forgotten it. `upTo` is an event. */
export async function readEarlierRun(
  pool: pg.Pool,
  run: Pick<RunRecord, 'id' | 'status' | 'input'>,
  upTo = Infinity,
): Promise<EarlierPoint> {
  const definitions = createCompiledDefinitions(pool);
  const { compiled, state, sequence, definitionHash } = await readStateOf(pool, run.id, definitions, upTo);
  const { rows } = await pool.query<{ implementations: Implementations | null; slices: string[] }>(
    `SELECT implementations, ARRAY(SELECT slice.id FROM runs slice WHERE slice.parent_run_id = run.id
                                     AND slice.definition_hash = run.definition_hash ORDER BY slice.id) AS slices
     FROM runs run WHERE run.id = $1`,
    [run.id],
  );
  const { implementations = null, slices = [] } = rows[0] ?? {};
  const executions = await executionsOf(pool, [run.id, ...slices.map((id) => runId(id))]);
  const of = await readDefinitionByHash(pool, toHash(definitionHash));
  const version = of?.version ?? 1;
  const { id, status, input } = run;
  const point = { sequence, definitionHash, version };
  return { id, status, input, compiled, state, executions, implementations: implementations ?? {}, ...point };
}

/** The newest run of a workflow that completed. */
export async function newestRunOf(
  pool: pg.Pool,
  tenantId: TenantId,
  workflowId: WorkflowId,
): Promise<RunRecord | undefined> {
  const page = await listRuns(pool, { tenantId, workflowId, first: 1, status: ['COMPLETED'], parentRunId: null });
  return page.rows[0];
}

/** Containers of slices are the run's own. */
async function executionsOf(pool: pg.Pool, runs: readonly RunId[]): Promise<EarlierExecution[]> {
  const all: EarlierExecution[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const page = await listNodeExecutionsOfRuns(pool, runs, { first: PAGE, offset });
    const rows = runs.flatMap((id) => page.get(id) ?? []);
    all.push(...rows);
    if (![...page.values()].some((own) => own.length === PAGE)) return all;
  }
}
