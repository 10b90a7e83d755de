import { AppError } from '../../domain/errors.ts';
import { forgetDeadFiring, insertFiring, readFiring } from '../../adapters/postgres/trigger-firing-store.ts';
import { readWebhookAtDoor } from '../../adapters/postgres/webhook-store.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { type Firing, firingId } from '../../domain/runs/triggers/firing.ts';
import { evaluateTriggerMapping } from '../../domain/runs/triggers/trigger-expression.ts';
import { validSecrets, type WebhookRecord } from '../../domain/runs/triggers/webhook.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import type { RunsDeps } from './deps.ts';
import { newRunId } from './run-id.ts';
import { startFiring } from './start-firing.ts';
import { secretContext } from './webhooks-operations.ts';
import { checkMessage } from './webhooks-signature.ts';

export type IncomingMessage = {
  webhookId: string;
  /** By lower-case name. */
  headers: { readonly [name: string]: string };
  query: JsonObject;
  body: Buffer;
};
export type Accepted = {
  runId: string;
  /** Whether the message had come before. */
  duplicate: boolean;
};

/** Held back from expressions: they let whoever reads the run's input act as the sender. */
const SECRET_HEADERS = new Set(['webhook-signature', 'authorization', 'cookie', 'proxy-authorization']);
/** For so long the firing is left to this request; if its process dies, another one goes on. */
const LEASE_MS = 30_000;

/**
 * Takes a signed message: once it is stored, its run is certain. The same `webhook-id` gives the same run.
 * @throws NOT_FOUND, WEBHOOK_DISABLED, SIGNATURE_INVALID, INPUT_INVALID, EXPRESSION_FAILED, IDEMPOTENCY_CONFLICT and what
 * starting a run throws that trying again cannot mend
 */
export async function receiveMessage(deps: RunsDeps, message: IncomingMessage): Promise<Accepted> {
  const { webhookId, body } = message;
  const webhook = webhookId.includes('\0') ? undefined : await readWebhookAtDoor(deps.pool, webhookId);
  if (!webhook) throw new AppError('NOT_FOUND', { what: 'Webhook', id: webhookId });
  if (!webhook.enabled) throw new AppError('WEBHOOK_DISABLED', { id: webhookId });
  const messageId = checkSignature(deps, webhook, message);

  const firing = firingOf(webhook, messageId, contentHash(body));
  const earlier = await readFiring(deps.pool, webhook.tenantId, firing.id);
  if (earlier && earlier.state !== 'DEAD') return repeated(deps, earlier, firing);
  if (earlier) await forgetDeadFiring(deps.pool, firing.id);
  const input = inputOf(webhook, messageId, message);
  const inserted = await insertFiring(deps.pool, { ...firing, input, leaseMs: LEASE_MS });
  const stored = inserted ? { ...firing, input } : await readFiring(deps.pool, webhook.tenantId, firing.id);
  return { runId: await started(deps, stored ?? { ...firing, input }), duplicate: !inserted };
}

function checkSignature(deps: RunsDeps, webhook: WebhookRecord, { headers, body }: IncomingMessage): string {
  const id = headers['webhook-id'] ?? '';
  if (!/^[\x21-\x7e]{1,255}$/.test(id)) throw new AppError('SIGNATURE_INVALID', { detail: 'webhook-id is missing' });
  const now = Date.now();
  const secrets = validSecrets(webhook.secrets, now).map(({ sealed }) =>
    deps.secrets.open(sealed, secretContext(webhook.id)),
  );
  const signed = { timestamp: headers['webhook-timestamp'] ?? '', signature: headers['webhook-signature'] ?? '' };
  checkMessage(secrets, { id, ...signed, body }, now);
  return id;
}

function firingOf(webhook: WebhookRecord, messageId: string, sourceHash: string): Firing {
  const place = { kind: 'WEBHOOK', triggerId: webhook.id, source: messageId } as const;
  return {
    ...place,
    id: firingId(place, contentHash),
    tenantId: webhook.tenantId,
    sourceHash,
    workflowId: webhook.workflowId,
    version: webhook.version,
    input: null,
    depth: 0,
    state: 'PENDING',
    runId: null,
    attempts: 0,
    error: null,
    holderId: null,
    createdAt: new Date(),
  };
}

async function repeated(deps: RunsDeps, earlier: Firing, { id, sourceHash }: Firing): Promise<Accepted> {
  if (earlier.sourceHash !== sourceHash) throw new AppError('IDEMPOTENCY_CONFLICT', { key: id });
  return { runId: earlier.runId ?? (await started(deps, earlier)), duplicate: true };
}

/** What cannot be started yet is started later: the id of its run is known already. */
async function started(deps: RunsDeps, firing: Firing): Promise<string> {
  try {
    return (await startFiring(deps, firing)).id;
  } catch (error) {
    if (!(toAppError(error)?.retryable ?? true)) throw error;
    return newRunId(firing.tenantId, firing.workflowId, firing.id);
  }
}

function inputOf(webhook: WebhookRecord, messageId: string, { headers, query, body }: IncomingMessage): Json {
  const parsed = parseBody(body, headers['content-type'] ?? '');
  if (webhook.mapping === null) return parsed ?? {};
  const shown = Object.fromEntries(Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name)));
  const about = { id: webhook.id, name: webhook.name, messageId };
  return evaluateTriggerMapping('WEBHOOK', webhook.mapping, { body: parsed, headers: shown, query, webhook: about });
}

/** JSON and forms as values, everything else as text; null when there is none. @throws INPUT_INVALID */
export function parseBody(body: Buffer, contentType: string): Json {
  const text = body.toString('utf8');
  if (text === '') return null;
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType) && contentType !== '') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    if (contentType === '') return text;
    throw new AppError('INPUT_INVALID', { detail: 'the body is not JSON' });
  }
}
