import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import type { Shared, WebhookOptions } from '../trigger-commands.ts';

const VIEW = 'id url workflow { id } enabled secrets { createdAt expiresAt }';
type Webhook = {
  id: string;
  url: string;
  workflow: { id: string } | null;
  enabled: boolean;
  secrets: { createdAt: string; expiresAt: string | null }[];
};
type WithSecret = { webhook: Webhook; secret: string };

export async function createWebhook(workflowId: string, options: WebhookOptions): Promise<void> {
  const { createWebhook: made } = await createGatewayClient(options.url)<{ createWebhook: WithSecret }>(
    `mutation ($workflowId: ID!, $id: ID, $name: String, $version: Int, $mapping: JSON, $secret: String) {
      createWebhook(workflowId: $workflowId, id: $id, name: $name, version: $version, mapping: $mapping, secret: $secret) {
        secret webhook { ${VIEW} }
      }
    }`,
    {
      workflowId,
      id: options.id,
      name: options.name,
      version: options.version,
      mapping: await jsonOption('mapping', options.mapping),
      secret: options.secret,
    },
  );
  print(made, options);
}

export async function rotateSecret(id: string, options: WebhookOptions): Promise<void> {
  const { rotateWebhookSecret: made } = await createGatewayClient(options.url)<{ rotateWebhookSecret: WithSecret }>(
    `mutation ($id: ID!, $secret: String, $graceSeconds: Int) {
      rotateWebhookSecret(id: $id, secret: $secret, graceSeconds: $graceSeconds) { secret webhook { ${VIEW} } }
    }`,
    { id, secret: options.secret, graceSeconds: options.grace },
  );
  print(made, options);
}

function print(made: WithSecret, { json }: Shared): void {
  if (json) return printJson(made);
  const { webhook, secret } = made;
  printRows([
    ['webhook', webhook.id],
    ['address', webhook.url],
    ['secret', `${secret}  (not shown again)`],
  ]);
}

export async function listWebhooks({ url, json }: Shared): Promise<void> {
  const { webhooks } = await createGatewayClient(url)<{ webhooks: { edges: { node: Webhook }[] } }>(
    `{ webhooks(first: 100) { edges { node { ${VIEW} } } } }`,
  );
  const found = webhooks.edges.map(({ node }) => node);
  if (json) return printJson(found);
  const rows = found.map((one) => [one.id, one.workflow?.id ?? '', one.enabled ? 'enabled' : 'disabled', one.url]);
  printRows([['WEBHOOK', 'WORKFLOW', 'STATE', 'ADDRESS'], ...rows]);
}

export async function enableWebhook(enabled: boolean, id: string, { url, json }: Shared): Promise<void> {
  await createGatewayClient(url)(
    'mutation ($id: ID!, $enabled: Boolean) { updateWebhook(id: $id, enabled: $enabled) { id } }',
    { id, enabled },
  );
  if (json) printJson({ id, enabled });
  else process.stdout.write(`${id} is ${enabled ? 'enabled' : 'disabled'}\n`);
}

export async function deleteWebhook(id: string, { url, json }: Shared): Promise<void> {
  await createGatewayClient(url)('mutation ($id: ID!) { deleteWebhook(id: $id) }', { id });
  if (json) printJson({ id });
  else process.stdout.write(`${id} is deleted\n`);
}
