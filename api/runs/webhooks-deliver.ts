import { listNodeExecutions } from '../../adapters/postgres/node-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import { DELIVER_UPDATE, type DeliverArguments } from '../../domain/runs/messages.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import { updateRun } from '../../temporal/run-commands.ts';
import { checkWebhookLink, type WebhookLink } from '../../temporal/webhook-links.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { checkSize, ensureStarted } from './execute-workflow.ts';
import { readRunOf } from './read-runs.ts';

export type SignedLink = WebhookLink & { signature: string };
export type Delivery = {
  link: SignedLink;
  data: Json;
  /** Of the sender: the same key is delivered once. */
  key: string | null;
};
export type Delivered = { runId: string; nodeId: string; duplicate: boolean };

/** The run that a good link leads to. @throws LINK_INVALID, LINK_EXPIRED, NOT_FOUND */
export async function openLink(deps: RunsDeps, link: SignedLink): Promise<RunRecord> {
  checkWebhookLink(deps.secrets, link, link.signature, Date.now());
  const run = await readRunOf(deps, LOCAL_PRINCIPAL, link.runId);
  if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id: link.runId });
  return run;
}

/**
 * Hands data to a webhook node of a run. What was delivered already, by its key or by its content, is not delivered again.
 * @throws LINK_INVALID, LINK_EXPIRED, NOT_FOUND, RUN_CLOSED, NOT_WAITING, INPUT_INVALID, PAYLOAD_TOO_LARGE
 */
export async function deliverToRun(deps: RunsDeps, { link, data, key }: Delivery): Promise<Delivered> {
  const run = await openLink(deps, link);
  checkSize(deps, data, 'The data of the webhook');
  const { nodeId } = link;
  const request: DeliverArguments = { nodeId, data };
  const updateId = key === null ? undefined : contentHash(JSON.stringify([nodeId, key]));
  try {
    if (isClosed(run.status)) throw new AppError('RUN_CLOSED', { runId: run.id, runStatus: run.status });
    await ensureStarted(deps, run);
    await updateRun(deps.temporal, run.id, DELIVER_UPDATE, request, updateId);
  } catch (error) {
    if (!(await wasDelivered(deps, error, link, data))) throw error;
    return { runId: run.id, nodeId, duplicate: true };
  }
  deps.hint(run.id);
  deps.log.info({ runId: run.id, nodeId }, 'webhook delivered');
  return { runId: run.id, nodeId, duplicate: false };
}

/** A refusal of what the node has taken already is none. */
async function wasDelivered(deps: RunsDeps, error: unknown, link: WebhookLink, data: Json): Promise<boolean> {
  if (!(error instanceof AppError && ['NOT_WAITING', 'ALREADY_ANSWERED', 'RUN_CLOSED'].includes(error.code)))
    return false;
  const wanted = canonicalJson(data);
  const nodes = await listNodeExecutions(deps.pool, runId(link.runId));
  return nodes.some(
    ({ nodeId, status, output }) =>
      nodeId === link.nodeId &&
      status === 'COMPLETED' &&
      isJsonObject(output) &&
      canonicalJson(output['data'] ?? null) === wanted,
  );
}
