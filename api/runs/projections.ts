import { ALL_PROJECTIONS } from '../../adapters/postgres/projections/all-projections.ts';
import { IN_FEED } from '../../adapters/postgres/projections/projection.ts';
import {
  listProjections as listStored,
  type ProjectionStatus,
  requestRebuild,
  startProjection as start,
  stopProjection as stop,
} from '../../adapters/postgres/projections/projection-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';

type Deps = Pick<RunsDeps, 'pool'>;
export type ProjectionView = ProjectionStatus & { meaning: string };

const MEANINGS = new Map([...ALL_PROJECTIONS, IN_FEED].map(({ name, meaning }) => [name, meaning]));

export async function listProjections({ pool }: Deps, { tenantId }: Principal): Promise<ProjectionView[]> {
  const rows = await listStored(pool, tenantId);
  return rows.map((row) => ({ ...row, meaning: MEANINGS.get(row.name) ?? '' }));
}

/** @throws NOT_FOUND */
export async function rebuildProjection(deps: Deps, principal: Principal, name: string): Promise<ProjectionView> {
  await requestRebuild(deps.pool, name);
  return readProjection(deps, principal, name);
}

/** @throws NOT_FOUND, INPUT_INVALID */
export async function stopProjection(deps: Deps, principal: Principal, name: string): Promise<ProjectionView> {
  await stop(deps.pool, name);
  return readProjection(deps, principal, name);
}

/** @throws NOT_FOUND */
export async function startProjection(deps: Deps, principal: Principal, name: string): Promise<ProjectionView> {
  await start(deps.pool, name);
  return readProjection(deps, principal, name);
}

async function readProjection(deps: Deps, principal: Principal, name: string): Promise<ProjectionView> {
  const found = (await listProjections(deps, principal)).find((one) => one.name === name);
  if (found === undefined) throw new AppError('NOT_FOUND', { what: 'Projection', id: name });
  return found;
}
