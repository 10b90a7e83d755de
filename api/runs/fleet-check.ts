import { type CompiledDefinitions, createCompiledDefinitions } from '../../adapters/postgres/compiled-definitions.ts';
import { type FleetPlace, type FleetRun, readFleet } from '../../adapters/postgres/fleet-store.ts';
import { listNodeExecutionsOfRuns } from '../../adapters/postgres/node-store.ts';
import { readStateOf } from '../../adapters/postgres/run-state-at.ts';
import { AppError } from '../../domain/errors.ts';
import { type RunId, workflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { type CompiledDefinition, compileDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { LIMITS } from '../../domain/runs/limits.ts';
import { checkClosedRun, type ClosedRunCheck } from '../../domain/runs/versions/check-closed-run.ts';
import { checkOpenRun, type OpenRunCheck } from '../../domain/runs/versions/check-open-run.ts';
import type { NodeMapping } from '../../domain/runs/versions/node-mapping.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { checkDefinition } from './publish-workflow.ts';

export type FleetCheck = {
  workflowId: string;
  definition: Json;
  /** How many of the last closed runs are played again; default 100. */
  closed?: number | null | undefined;
  mapping?: Json | undefined;
  /** `openEnd` of the report before: the next open runs are looked at. */
  openAfter?: string | null | undefined;
};
type Checked<Check> = Check & { runId: RunId; version: number };
export type FleetReport = {
  open: Checked<OpenRunCheck>[];
  /** Open runs in all. */
  openTotal: number;
  /** Where to go on, as `openAfter`; null when all open runs were looked at. */
  openEnd: string | null;
  closed: Checked<ClosedRunCheck>[];
};

const DEFAULT_CLOSED = 100;
const READERS = 8;
const BATCH = 50;

/** What a definition would mean to the runs that there are. Changes nothing. @throws DEFINITION_INVALID, INPUT_INVALID */
export async function checkFleet(deps: RunsDeps, principal: Principal, request: FleetCheck): Promise<FleetReport> {
  const mapping = parseMapping(request.mapping);
  const closed = request.closed ?? DEFAULT_CLOSED;
  if (closed < 0 || closed > LIMITS.fleetRuns) throw argumentInvalid('closed', `must be 0 to ${LIMITS.fleetRuns}`);
  const after = parsePlace(request.openAfter ?? null);
  if (request.workflowId.includes('\0')) throw argumentInvalid('workflowId', 'is not valid');
  const { problems, definition } = await checkDefinition(deps, principal, request.definition);
  if (problems.length > 0) throw new AppError('DEFINITION_INVALID', { count: problems.length, problems });
  const to = compileDefinition(definition as unknown as WorkflowDefinition);
  const { tenantId } = principal;
  const id = workflowId(request.workflowId);
  const fleet = await readFleet(deps.pool, { tenantId, workflowId: id, open: LIMITS.fleetRuns, after, closed });
  const definitions = createCompiledDefinitions(deps.pool);
  return {
    open: await checkOpen(deps, fleet.open, { to, mapping, definitions }),
    openTotal: fleet.openTotal,
    openEnd: fleet.openEnd && writePlace(fleet.openEnd),
    closed: await checkClosed(deps, fleet.closed, { to, mapping, definitions }),
  };
}

const writePlace = ({ createdAt, id }: FleetPlace): string =>
  Buffer.from(`${createdAt.getTime()}/${id}`).toString('base64url');

/** @throws INPUT_INVALID */
function parsePlace(text: string | null): FleetPlace | null {
  if (text === null) return null;
  const match = /^(\d{1,15})\/([^\0]+)$/.exec(Buffer.from(text, 'base64url').toString());
  if (!match) throw argumentInvalid('openAfter', 'is no place in this list');
  return { createdAt: new Date(Number(match[1])), id: String(match[2]) };
}

type Against = { to: CompiledDefinition; mapping: NodeMapping; definitions: CompiledDefinitions };

async function checkOpen(
  { pool }: Pick<RunsDeps, 'pool'>,
  runs: readonly FleetRun[],
  { to, mapping, definitions }: Against,
): Promise<FleetReport['open']> {
  const checked: FleetReport['open'] = [];
  const waiting = [...runs.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, run] = next;
      const { compiled: from, state } = await readStateOf(pool, run.id, definitions);
      checked[index] = { runId: run.id, version: run.version, ...checkOpenRun(from, to, state, mapping) };
    }
  };
  await Promise.all(Array.from({ length: READERS }, work));
  // Those that ended meanwhile have nothing to go on with.
  return checked.filter(({ problems }) => !problems.some(({ code }) => code === 'RUN_CLOSED'));
}

async function checkClosed(
  { pool }: Pick<RunsDeps, 'pool'>,
  runs: readonly FleetRun[],
  { to, mapping, definitions }: Against,
): Promise<FleetReport['closed']> {
  const checked: FleetReport['closed'] = [];
  for (let start = 0; start < runs.length; start += BATCH) {
    const batch = runs.slice(start, start + BATCH);
    const executions = await listNodeExecutionsOfRuns(
      pool,
      batch.flatMap((run) => [run.id, ...run.slices]),
    );
    for (const run of batch) {
      const own = [run.id, ...run.slices].flatMap((id) => executions.get(id) ?? []);
      const from = await definitions.read(run.definitionHash);
      const check = checkClosedRun(from, to, { input: run.input, status: run.status, executions: own }, mapping);
      checked.push({ runId: run.id, version: run.version, ...check });
    }
  }
  return checked;
}

/** @throws INPUT_INVALID */
export function parseMapping(value: Json | undefined): NodeMapping {
  if (value === undefined || value === null) return {};
  const valid = isJsonObject(value) && Object.values(value).every((id) => id === null || typeof id === 'string');
  if (!valid) throw argumentInvalid('mapping', 'must be an object of node ids, or null for what no longer counts');
  return value as NodeMapping;
}
