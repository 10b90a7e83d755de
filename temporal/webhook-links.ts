import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import {
  type DefinitionArgument,
  MIGRATE_UPDATE,
  type MigrateArguments,
  RUN_WORKFLOW_TYPE,
  type RunArguments,
} from '../domain/runs/messages.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';

export type LinkSettings = Pick<
  Settings,
  'WEFT_PUBLIC_URL' | 'WEFT_HOST' | 'PORT' | 'WEFT_SECRET_KEY' | 'WEFT_LINK_DAYS'
>;
/** What a signed link allows: to answer a webhook node of a run. */
export type WebhookLink = { runId: string; nodeId: string; expires: number };

const DAY_MS = 86_400_000;
const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '[::]']);

/** Where others reach the API, without a slash at the end. */
export function publicUrl(settings: Pick<Settings, 'WEFT_PUBLIC_URL' | 'WEFT_HOST' | 'PORT'>): string {
  const host = EVERY_ADDRESS.has(settings.WEFT_HOST) ? '127.0.0.1' : settings.WEFT_HOST;
  return (settings.WEFT_PUBLIC_URL ?? `http://${host}:${settings.PORT}`).replace(/\/+$/, '');
}

export function webhookLink(box: SecretBox, baseUrl: string, link: WebhookLink): string {
  const path = `/hooks/runs/${encodeURIComponent(link.runId)}/${encodeURIComponent(link.nodeId)}`;
  return `${baseUrl}${path}?expires=${link.expires}&signature=${box.sign(signedText(link))}`;
}

/** @throws AppError LINK_INVALID, LINK_EXPIRED */
export function checkWebhookLink(box: SecretBox, link: WebhookLink, signature: string, now: number): void {
  if (!Number.isSafeInteger(link.expires) || !box.verify(signedText(link), signature))
    throw new AppError('LINK_INVALID');
  if (now >= link.expires) {
    throw new AppError('LINK_EXPIRED', { expiredAt: new Date(link.expires).toISOString() });
  }
}

const signedText = ({ runId, nodeId, expires }: WebhookLink): string =>
  JSON.stringify(['webhook-node', runId, nodeId, expires]);

/** The links of a run to its webhook nodes, by node id; null when it has none. */
export function webhookLinksOf(
  settings: LinkSettings,
): (runId: string, definition: WorkflowDefinition) => Record<string, string> | null {
  const box = createSecretBox(settings.WEFT_SECRET_KEY);
  return (runId, { nodes }) => {
    const waiting = nodes.filter(({ type }) => type === 'webhook').map(({ id }) => id);
    if (waiting.length === 0) return null;
    const expires = Date.now() + settings.WEFT_LINK_DAYS * DAY_MS;
    const baseUrl = publicUrl(settings);
    return Object.fromEntries(waiting.map((nodeId) => [nodeId, webhookLink(box, baseUrl, { runId, nodeId, expires })]));
  };
}

/** Gives every run that is started, or goes on in another version, the links of its webhook nodes, as `run.webhooks` in expressions. */
export function addWebhookLinks(settings: LinkSettings): WorkflowClientInterceptor {
  const linksOf = webhookLinksOf(settings);
  return {
    start(input, next) {
      if (input.workflowType !== RUN_WORKFLOW_TYPE) return next(input);
      const [first, second, ...rest] = input.options.args as [
        RunArguments,
        DefinitionArgument | undefined,
        ...unknown[],
      ];
      if (second === undefined) return next(input);
      const webhooks = linksOf(input.options.workflowId, second.weftDefinition);
      if (webhooks === null) return next(input);
      const args = [{ ...first, webhooks }, second, ...rest];
      return next({ ...input, options: { ...input.options, args } });
    },
    startUpdate(input, next) {
      if (input.updateName !== MIGRATE_UPDATE) return next(input);
      const [request, definition] = input.args as [MigrateArguments, DefinitionArgument];
      const webhooks = linksOf(input.workflowExecution.workflowId ?? '', definition.weftDefinition);
      if (webhooks === null) return next(input);
      return next({ ...input, args: [{ ...request, webhooks }, definition] });
    },
  };
}
