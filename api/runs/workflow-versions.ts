import { listVersions, readDefinition, setDeprecation } from '../../adapters/postgres/definition-store.ts';
import { AppError } from '../../domain/errors.ts';
import { workflowId } from '../../domain/identifiers.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import type { PageArguments } from './read-runs.ts';

export type VersionReference = { workflowId: string; version: number };
const REASON_LENGTH = 1_000;

/** Newest first. @throws INPUT_INVALID */
export async function listVersionsOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId, workflowId: id }: Pick<PublishedDefinition, 'tenantId' | 'workflowId'>,
  { first, after }: PageArguments,
): Promise<Connection<PublishedDefinition>> {
  const place = after === null || after === undefined ? undefined : Buffer.from(after, 'base64url').toString();
  if (place !== undefined && !/^[1-9]\d{0,8}$/.test(place)) throw argumentInvalid('after', 'is no cursor of this list');
  const page = await listVersions(pool, {
    tenantId,
    workflowId: id,
    first: pageSize(first, 20, 100),
    before: place === undefined ? undefined : Number(place),
  });
  return connectionOf(page, (row) => Buffer.from(String(row.version)).toString('base64url'), after ?? undefined);
}

/** It starts no new runs from now on; those under way go on. @throws NOT_FOUND, INPUT_INVALID */
export function deprecateVersion(
  deps: Pick<RunsDeps, 'pool' | 'log'>,
  principal: Principal,
  request: VersionReference & { reason?: string | null | undefined },
): Promise<PublishedDefinition> {
  const { reason = null } = request;
  if (reason !== null && (reason.length > REASON_LENGTH || reason.includes('\0'))) {
    throw argumentInvalid('reason', `must be a text of at most ${REASON_LENGTH} characters`);
  }
  return change(deps, principal, request, { reason });
}

/** @throws NOT_FOUND */
export function undeprecateVersion(
  deps: Pick<RunsDeps, 'pool' | 'log'>,
  principal: Principal,
  request: VersionReference,
): Promise<PublishedDefinition> {
  return change(deps, principal, request, null);
}

async function change(
  deps: Pick<RunsDeps, 'pool' | 'log'>,
  { tenantId, subject }: Principal,
  { workflowId: id, version }: VersionReference,
  deprecation: { reason: string | null } | null,
): Promise<PublishedDefinition> {
  const missing = () => new AppError('NOT_FOUND', { what: 'Workflow', id: `${id} version ${version}` });
  if (id.includes('\0')) throw missing();
  const key = { tenantId, workflowId: workflowId(id), version };
  const changed = await setDeprecation(deps.pool, key, deprecation, subject);
  if (!changed) throw missing();
  deps.log.info({ workflowId: id, version, deprecated: deprecation !== null }, 'deprecation changed');
  return changed;
}

/** @throws VERSION_DEPRECATED, which names the version that replaces it */
export async function refuseDeprecated(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId, workflowId: id, version, deprecation }: PublishedDefinition,
): Promise<void> {
  if (deprecation === null) return;
  const latest = await readDefinition(pool, tenantId, id);
  const replacement = latest && latest.deprecation === null ? latest.version : null;
  throw new AppError('VERSION_DEPRECATED', { workflowId: id, version, replacement, reason: deprecation.reason });
}
