import { readDefinition } from '../../adapters/postgres/definition-store.ts';
import { listDrafts, readDraft, removeDraft, writeDraft } from '../../adapters/postgres/draft-store.ts';
import { AppError } from '../../domain/errors.ts';
import { workflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import type { Draft } from '../../domain/runs/versions/draft.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { checkSize } from './execute-workflow.ts';
import { publishWorkflow } from './publish-workflow.ts';
import type { PageArguments } from './read-runs.ts';

export type SaveDraft = {
  /** Default is the definition's name. */
  workflowId?: string | null | undefined;
  definition: Json;
  basedOnVersion?: number | null | undefined;
  /** Default 0: there is none yet. */
  expectedRevision?: number | null | undefined;
};

const NAME = /^[a-z][a-z0-9-]{0,254}$/;

/** @throws DRAFT_CONFLICT, INPUT_INVALID, NOT_FOUND, PAYLOAD_TOO_LARGE */
export async function saveDraft(
  deps: Pick<RunsDeps, 'pool' | 'settings'>,
  principal: Principal,
  request: SaveDraft,
): Promise<Draft> {
  const { definition, basedOnVersion = null, expectedRevision } = request;
  const id = draftId(request);
  if (JSON.stringify(definition).includes('\\u0000')) throw argumentInvalid('definition', 'must not contain NUL');
  checkSize(deps, definition, 'The draft');
  if (basedOnVersion !== null && !(await readDefinition(deps.pool, principal.tenantId, id, basedOnVersion))) {
    throw new AppError('NOT_FOUND', { what: 'Workflow', id: `${id} version ${basedOnVersion}` });
  }
  const expected = expectedRevision ?? 0;
  const written = await writeDraft(deps.pool, {
    tenantId: principal.tenantId,
    workflowId: id,
    definition,
    basedOnVersion,
    updatedBy: principal.subject,
    expectedRevision: expected,
  });
  return written ?? conflict(deps, principal, id, expected);
}

function draftId({ workflowId: given, definition }: SaveDraft): PublishedDefinition['workflowId'] {
  const named = isJsonObject(definition) ? definition['name'] : undefined;
  const id = given ?? named;
  if (typeof id === 'string' && NAME.test(id)) return workflowId(id);
  throw argumentInvalid('workflowId', 'or the name of the definition must be lower-case letters, digits and `-`');
}

async function conflict(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  id: PublishedDefinition['workflowId'],
  expectedRevision: number,
): Promise<never> {
  const current = await readDraft(pool, tenantId, id);
  throw new AppError('DRAFT_CONFLICT', { workflowId: id, currentRevision: current?.revision ?? 0, expectedRevision });
}

export async function readDraftOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  id: string,
): Promise<Draft | undefined> {
  return id.includes('\0') ? undefined : readDraft(pool, tenantId, workflowId(id));
}

/** By name. @throws INPUT_INVALID */
export async function listDraftsOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  { first, after }: PageArguments,
): Promise<Connection<Draft>> {
  const place = after === null || after === undefined ? undefined : Buffer.from(after, 'base64url').toString();
  if (place !== undefined && !NAME.test(place)) throw argumentInvalid('after', 'is no cursor of this list');
  const page = await listDrafts(pool, { tenantId, first: pageSize(first, 20, 100), after: place });
  return connectionOf(page, (draft) => Buffer.from(draft.workflowId).toString('base64url'), after ?? undefined);
}

/** The draft is gone when its version is there. @throws DEFINITION_INVALID, DRAFT_CONFLICT, NOT_FOUND */
export async function publishDraft(
  deps: RunsDeps,
  principal: Principal,
  { workflowId: id, expectedRevision }: { workflowId: string; expectedRevision: number },
): Promise<PublishedDefinition> {
  const draft = await readDraftOf(deps, principal, id);
  if (!draft) throw new AppError('NOT_FOUND', { what: 'Draft', id });
  if (draft.revision !== expectedRevision) return conflict(deps, principal, draft.workflowId, expectedRevision);
  const name = isJsonObject(draft.definition) ? draft.definition['name'] : undefined;
  if (typeof name === 'string' && name !== draft.workflowId) {
    throw argumentInvalid(
      'definition',
      `has the name ${JSON.stringify(name)}, but the draft is of ${draft.workflowId}`,
    );
  }
  const published = await publishWorkflow(deps, principal, draft.definition);
  // Saved again meanwhile, it stays: what is published is the revision that was asked for.
  await removeDraft(deps.pool, principal.tenantId, draft.workflowId, draft.revision);
  deps.log.info({ workflowId: published.workflowId, version: published.version }, 'draft published');
  return published;
}

/** @throws DRAFT_CONFLICT */
export async function discardDraft(
  deps: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  { workflowId: id, expectedRevision }: { workflowId: string; expectedRevision: number },
): Promise<boolean> {
  const draft = await readDraftOf(deps, principal, id);
  if (!draft) return false;
  const removed = await removeDraft(deps.pool, principal.tenantId, draft.workflowId, expectedRevision);
  return removed || conflict(deps, principal, draft.workflowId, expectedRevision);
}
