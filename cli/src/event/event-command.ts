import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import type { EmitOptions, EventTriggerOptions, Shared } from '../trigger-commands.ts';

type Event = { id: string; name: string; correlation: string | null; emittedAt: string };
type Trigger = { id: string; event: string; filter: string | null; workflow: { id: string } | null; enabled: boolean };
type Firing = {
  id: string;
  state: string;
  attempts: number;
  run: { id: string; status: string } | null;
  error: { code: string; message: string } | null;
};
type Edges<Node> = { edges: { node: Node }[] };

const TRIGGER_VIEW = 'id event filter workflow { id } enabled';
const FIRING_VIEW = 'id state attempts run { id status } error { code message }';

export async function emitEvent(name: string, options: EmitOptions): Promise<void> {
  const { emitEvent: event } = await createGatewayClient(options.url)<{ emitEvent: Event }>(
    `mutation ($name: String!, $correlation: String, $data: JSON, $id: ID) {
      emitEvent(name: $name, correlation: $correlation, data: $data, id: $id) { id name correlation emittedAt }
    }`,
    { name, correlation: options.correlation, data: await jsonOption('data', options.data), id: options.id },
  );
  if (options.json) printJson(event);
  else process.stdout.write(`${event.id}  ${event.emittedAt}\n`);
}

export async function listEvents({ url, json, name }: Shared & { name?: string }): Promise<void> {
  const { emittedEvents } = await createGatewayClient(url)<{ emittedEvents: Event[] }>(
    'query ($name: String) { emittedEvents(first: 50, name: $name) { id name correlation emittedAt } }',
    { name },
  );
  if (json) return printJson(emittedEvents);
  const rows = emittedEvents.map((one) => [one.emittedAt, one.name, one.correlation ?? '', one.id]);
  printRows([['EMITTED', 'EVENT', 'CORRELATION', 'ID'], ...rows]);
}

export async function createEventTrigger(
  event: string,
  workflowId: string,
  options: EventTriggerOptions,
): Promise<void> {
  const { createEventTrigger: trigger } = await createGatewayClient(options.url)<{ createEventTrigger: Trigger }>(
    `mutation ($event: String!, $workflowId: ID!, $id: ID, $name: String, $filter: String, $version: Int, $mapping: JSON) {
      createEventTrigger(event: $event, workflowId: $workflowId, id: $id, name: $name, filter: $filter, version: $version,
        mapping: $mapping) { ${TRIGGER_VIEW} }
    }`,
    {
      event,
      workflowId,
      id: options.id,
      name: options.name,
      filter: options.filter,
      version: options.version,
      mapping: await jsonOption('mapping', options.mapping),
    },
  );
  if (options.json) printJson(trigger);
  else process.stdout.write(`${trigger.id}\n`);
}

export async function listEventTriggers({ url, json }: Shared): Promise<void> {
  const { eventTriggers } = await createGatewayClient(url)<{ eventTriggers: Edges<Trigger> }>(
    `{ eventTriggers(first: 100) { edges { node { ${TRIGGER_VIEW} } } } }`,
  );
  const found = eventTriggers.edges.map(({ node }) => node);
  if (json) return printJson(found);
  const rows = found.map((one) => [
    one.id,
    one.event,
    one.workflow?.id ?? '',
    one.enabled ? 'enabled' : 'disabled',
    one.filter ?? '',
  ]);
  printRows([['TRIGGER', 'EVENT', 'WORKFLOW', 'STATE', 'FILTER'], ...rows]);
}

export async function deleteEventTrigger(id: string, { url, json }: Shared): Promise<void> {
  await createGatewayClient(url)('mutation ($id: ID!) { deleteEventTrigger(id: $id) }', { id });
  if (json) printJson({ id });
  else process.stdout.write(`${id} is deleted\n`);
}

export async function listFirings({ url, json, state }: Shared & { state?: string }): Promise<void> {
  const { firings } = await createGatewayClient(url)<{ firings: Edges<Firing> }>(
    `query ($state: FiringState) { firings(first: 100, state: $state) { edges { node { ${FIRING_VIEW} } } } }`,
    { state: state?.toUpperCase() },
  );
  const found = firings.edges.map(({ node }) => node);
  if (json) return printJson(found);
  const rows = found.map((one) => [one.id, one.state, one.run?.id ?? '', one.error?.message ?? '']);
  printRows([['FIRING', 'STATE', 'RUN', 'ERROR'], ...rows]);
}

export async function retryFiring(id: string, { url, json }: Shared): Promise<void> {
  const { retryFiring: firing } = await createGatewayClient(url)<{ retryFiring: Firing }>(
    `mutation ($id: ID!) { retryFiring(id: $id) { ${FIRING_VIEW} } }`,
    { id },
  );
  if (json) printJson(firing);
  else process.stdout.write(`${firing.id}  ${firing.state}\n`);
}
