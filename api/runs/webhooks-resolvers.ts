import { validSecrets, type WebhookRecord } from '../../domain/runs/triggers/webhook.ts';
import { publicUrl } from '../../temporal/webhook-links.ts';
import type { RunsDeps } from './deps.ts';
import { listRunsOf, readWorkflow, type PageArguments } from './read-runs.ts';
import type { RunsContext } from './resolvers.ts';
import {
  changeWebhook,
  createWebhook,
  type CreateWebhook,
  deleteWebhook,
  listWebhooksOf,
  readWebhookOf,
  type RotateSecret,
  rotateWebhookSecret,
  type WebhookChanges,
} from './webhooks-operations.ts';

type Id = { id: string };

export function webhookResolvers(deps: RunsDeps) {
  return {
    Query: {
      webhook: (_: unknown, { id }: Id, { principal }: RunsContext) => readWebhookOf(deps, principal, id),
      webhooks: (_: unknown, filter: PageArguments & { workflowId?: string }, { principal }: RunsContext) =>
        listWebhooksOf(deps, principal, filter),
    },
    Mutation: {
      createWebhook: (_: unknown, request: CreateWebhook, { principal }: RunsContext) =>
        createWebhook(deps, principal, request),
      updateWebhook: (_: unknown, request: WebhookChanges & Id, { principal }: RunsContext) =>
        changeWebhook(deps, principal, request),
      rotateWebhookSecret: (_: unknown, request: RotateSecret, { principal }: RunsContext) =>
        rotateWebhookSecret(deps, principal, request),
      deleteWebhook: (_: unknown, { id }: Id, { principal }: RunsContext) => deleteWebhook(deps, principal, id),
    },
    Webhook: {
      url: ({ id }: WebhookRecord) => `${publicUrl(deps.settings)}/hooks/${encodeURIComponent(id)}`,
      workflow: ({ workflowId, version }: WebhookRecord, _: unknown, { principal }: RunsContext) =>
        readWorkflow(deps, principal, workflowId, version ?? undefined),
      secrets: ({ secrets }: WebhookRecord) =>
        validSecrets(secrets, Date.now()).map(({ createdAt, expiresAt }) => ({
          createdAt: new Date(createdAt),
          expiresAt: expiresAt === null ? null : new Date(expiresAt),
        })),
      runs: ({ id }: WebhookRecord, page: PageArguments, { principal }: RunsContext) =>
        listRunsOf(deps, principal, { ...page, trigger: { kind: 'WEBHOOK', id } }),
    },
  };
}
