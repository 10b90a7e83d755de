import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { EventsOptions } from '../operate-commands.ts';
import { UsageError } from '../usage-error.ts';

type Event = { id: number; type: string; nodeId: string | null; occurredAt: string; payload: unknown };
const EVENTS = `query ($id: ID!, $after: Int, $first: Int) { run(id: $id) {
  events(after: $after, first: $first) { id type nodeId occurredAt payload } } }`;
const WIDTH = 100;

export async function listEvents(id: string, { url, json, after, first }: EventsOptions): Promise<number> {
  const { run } = await createGatewayClient(url)<{ run: { events: Event[] } | null }>(EVENTS, { id, after, first });
  if (run === null) throw new UsageError(`There is no run ${id}`, 'See them with: weft run list');
  if (json) printJson(run.events);
  else printRows([['EVENT', 'AT', 'TYPE', 'NODE', 'PAYLOAD'], ...run.events.map(rowOf)]);
  return 0;
}

function rowOf({ id, occurredAt, type, nodeId, payload }: Event): string[] {
  const text = JSON.stringify(payload) ?? '';
  return [String(id), occurredAt, type, nodeId ?? '', text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}...`];
}
