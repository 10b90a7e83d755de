import { randomBytes } from 'node:crypto';
import { newestCursor, parseNewestCursor } from '../../adapters/postgres/newest-page.ts';
import {
  deleteWebhook as deleteFromStore,
  insertWebhook,
  listWebhooks,
  readWebhook,
  updateWebhook,
} from '../../adapters/postgres/webhook-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { checkText } from '../../domain/runs/triggers/event.ts';
import { checkTriggerMapping } from '../../domain/runs/triggers/trigger-expression.ts';
import { rotated, type WebhookRecord } from '../../domain/runs/triggers/webhook.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import type { PageArguments } from './read-runs.ts';
import { changed, webhookEvent } from './recorded-changes.ts';
import { checkTriggerId, targetWorkflow } from './trigger-target.ts';
import { checkSecret, newSecret } from './webhooks-signature.ts';

export type WebhookChanges = {
  name?: string | null | undefined;
  version?: number | null | undefined;
  mapping?: Json | undefined;
  enabled?: boolean | null | undefined;
};
export type CreateWebhook = WebhookChanges & {
  workflowId: string;
  id?: string | null | undefined;
  secret?: string | null | undefined;
};
/** The secret is seen this once. */
export type WebhookWithSecret = { webhook: WebhookRecord; secret: string };

const DEFAULT_GRACE_S = 86_400;
const LONGEST_GRACE_S = 30 * 86_400;

/** @throws NOT_FOUND, INPUT_INVALID, MAPPING_INVALID, ID_TAKEN, SETUP_INCOMPLETE without a secret key */
export async function createWebhook(
  deps: RunsDeps,
  principal: Principal,
  request: CreateWebhook,
): Promise<WebhookWithSecret> {
  const id = checkTriggerId(request.id ?? `wh-${randomBytes(16).toString('hex')}`);
  const published = await targetWorkflow(deps, principal, request);
  const secret = request.secret ? checkSecret(request.secret) : newSecret();
  const sealed = deps.secrets.seal(secret, secretContext(id));
  const base = {
    id,
    tenantId: principal.tenantId,
    name: id,
    workflowId: published.workflowId,
    version: null,
    mapping: null,
    secrets: [{ sealed, createdAt: new Date().toISOString(), expiresAt: null }],
    enabled: true,
  };
  const webhook = await changed(
    deps,
    principal,
    (client) => insertWebhook(client, applied(request, base)),
    (made) => webhookEvent('webhook.created', made, principal.subject),
  );
  deps.log.info({ webhookId: id, workflowId: webhook.workflowId }, 'webhook created');
  return { webhook, secret };
}

/** What is left out stays as it is. @throws NOT_FOUND, INPUT_INVALID, MAPPING_INVALID */
export async function changeWebhook(
  deps: RunsDeps,
  principal: Principal,
  { id, ...changes }: WebhookChanges & { id: string },
): Promise<WebhookRecord> {
  const before = await webhookNamed(deps, principal, id);
  await targetWorkflow(deps, principal, applied(changes, before));
  const webhook = await changed(
    deps,
    principal,
    (client) => updateWebhook(client, principal.tenantId, id, (current) => applied(changes, current)),
    (made) => webhookEvent('webhook.changed', made, principal.subject),
  );
  if (!webhook) throw notFound(id);
  return webhook;
}

type Wanted = Omit<WebhookRecord, 'createdAt' | 'updatedAt'>;

function applied<Base extends Wanted>({ name, version, mapping, enabled }: WebhookChanges, base: Base): Base {
  return {
    ...base,
    ...(name ? { name: checkText('name', name, 255) } : {}),
    ...(version === undefined ? {} : { version }),
    ...(mapping === undefined ? {} : { mapping: mapping === null ? null : checkTriggerMapping('WEBHOOK', mapping) }),
    ...(enabled === null || enabled === undefined ? {} : { enabled }),
  };
}

export type RotateSecret = { id: string; secret?: string | null | undefined; graceSeconds?: number | null | undefined };

/** Another secret; the one before stays valid for a day, or for `graceSeconds`. @throws NOT_FOUND, INPUT_INVALID */
export async function rotateWebhookSecret(
  deps: RunsDeps,
  principal: Principal,
  request: RotateSecret,
): Promise<WebhookWithSecret> {
  const graceSeconds = request.graceSeconds ?? DEFAULT_GRACE_S;
  if (graceSeconds < 0 || graceSeconds > LONGEST_GRACE_S) {
    throw argumentInvalid('graceSeconds', `must be 0 to ${LONGEST_GRACE_S}`);
  }
  const secret = request.secret ? checkSecret(request.secret) : newSecret();
  const sealed = deps.secrets.seal(secret, secretContext(request.id));
  const times = { now: Date.now(), graceMs: graceSeconds * 1000 };
  const { id } = request;
  const rotate = (current: WebhookRecord) => ({ ...current, secrets: rotated(current.secrets, { sealed }, times) });
  const webhook = await changed(
    deps,
    principal,
    (client) => updateWebhook(client, principal.tenantId, id, rotate),
    () => ({ type: 'webhook.secret_rotated', id, payload: { id, by: principal.subject } }),
  );
  if (!webhook) throw notFound(request.id);
  deps.log.info({ webhookId: webhook.id }, 'secret of a webhook rotated');
  return { webhook, secret };
}

/** Its address answers 404 from then on. @throws NOT_FOUND */
export async function deleteWebhook(deps: RunsDeps, principal: Principal, id: string): Promise<string> {
  if (id.includes('\0')) throw notFound(id);
  const deleted = await changed(
    deps,
    principal,
    (client) => deleteFromStore(client, principal.tenantId, id),
    () => ({ type: 'webhook.deleted', id, payload: { id, by: principal.subject } }),
  );
  if (!deleted) throw notFound(id);
  return id;
}

export async function readWebhookOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  id: string,
): Promise<WebhookRecord | undefined> {
  return id.includes('\0') ? undefined : readWebhook(deps.pool, tenantId, id);
}

async function webhookNamed(deps: RunsDeps, principal: Principal, id: string): Promise<WebhookRecord> {
  const webhook = await readWebhookOf(deps, principal, id);
  if (!webhook) throw notFound(id);
  return webhook;
}

/** Newest first. @throws INPUT_INVALID */
export async function listWebhooksOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  filter: PageArguments & { workflowId?: string | null },
): Promise<Connection<WebhookRecord>> {
  const after = filter.after ?? undefined;
  if (after !== undefined && !parseNewestCursor(after)) throw argumentInvalid('after', 'is no cursor of this list');
  const first = pageSize(filter.first, 20, 100);
  const page = await listWebhooks(deps.pool, { tenantId, first, after, workflowId: filter.workflowId ?? undefined });
  return connectionOf(page, newestCursor, after);
}

/** A sealed secret opens for its own webhook alone. */
export const secretContext = (webhookId: string): string => `webhook/${webhookId}`;

const notFound = (id: string) => new AppError('NOT_FOUND', { what: 'Webhook', id });
