import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';

export type ListOptions = {
  url: string;
  json?: boolean;
  type?: string[];
  correlation?: string;
  stream?: string;
  from?: string;
  since?: string;
  until?: string;
  newest?: boolean;
  first?: number;
};
export type StreamOptions = { url: string; json?: boolean; fromVersion?: number; first?: number };

export type TypesOptions = { url: string; json?: boolean };

export type ShownEvent = {
  id: string;
  type: string;
  schemaVersion: number;
  streamId: string;
  version: number;
  position: string;
  occurredAt: string;
  recordedAt: string;
  correlationId: string | null;
  causationId: string | null;
  payload: unknown;
};

const FIELDS =
  'id type schemaVersion streamId version position occurredAt recordedAt correlationId causationId payload';
const EVENTS = `query ($filter: StoredEventFilter, $after: String, $first: Int, $order: EventOrder) {
  events(filter: $filter, after: $after, first: $first, order: $order) {
    edges { node { ${FIELDS} } } pageInfo { hasNextPage endCursor } head
  }
}`;
const STREAM = `query ($id: ID!, $fromVersion: Int, $first: Int) {
  eventStream(id: $id, fromVersion: $fromVersion, first: $first) { ${FIELDS} }
}`;
const WIDTH = 80;

type Answer = {
  events: {
    edges: { node: ShownEvent }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
    head: string;
  };
};

export async function listStoredEvents({ url, json, newest, first, from, ...chosen }: ListOptions): Promise<number> {
  const filter = {
    types: chosen.type,
    correlationId: chosen.correlation,
    streamId: chosen.stream,
    recordedFrom: chosen.since,
    recordedBefore: chosen.until,
  };
  const order = newest ? 'NEWEST_FIRST' : 'OLDEST_FIRST';
  const { events } = await createGatewayClient(url)<Answer>(EVENTS, { filter, first, order, after: from });
  const shown = events.edges.map(({ node }) => node);
  const { hasNextPage, endCursor } = events.pageInfo;
  if (json) printJson({ events: shown, next: hasNextPage ? endCursor : null, head: events.head });
  else {
    printEvents(shown);
    if (hasNextPage) process.stdout.write(`more: --from ${endCursor}\n`);
  }
  return 0;
}

export async function listStream(id: string, { url, json, fromVersion, first }: StreamOptions): Promise<number> {
  const variables = { id, fromVersion, first };
  const { eventStream } = await createGatewayClient(url)<{ eventStream: ShownEvent[] }>(STREAM, variables);
  if (json) printJson(eventStream);
  else printEvents(eventStream);
  return eventStream.length > 0 ? 0 : 1;
}

type EventType = { type: string; schemaVersion: number; happened: string; schema: unknown };

/** All types, or one of them with its schema. Gives the exit code: 1 when there is no such type. */
export async function listTypes(name: string | undefined, { url, json }: TypesOptions): Promise<number> {
  const query = '{ eventTypes { type source happened schemaVersion schema } }';
  const { eventTypes } = await createGatewayClient(url)<{ eventTypes: EventType[] }>(query);
  const chosen = eventTypes.filter(({ type }) => name === undefined || type === name);
  if (json) printJson(chosen);
  else if (name === undefined) {
    printRows([
      ['TYPE', 'VERSION', 'HAPPENED'],
      ...chosen.map((one) => [one.type, String(one.schemaVersion), one.happened]),
    ]);
  } else for (const { schema } of chosen) process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return chosen.length > 0 ? 0 : 1;
}

function printEvents(events: readonly ShownEvent[]): void {
  printRows([['POSITION', 'AT', 'TYPE', 'STREAM', 'VERSION', 'PAYLOAD'], ...events.map(rowOf)]);
}

function rowOf({ position, occurredAt, type, streamId, version, payload }: ShownEvent): string[] {
  const text = JSON.stringify(payload) ?? '';
  const short = text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}...`;
  return [position, occurredAt, type, streamId, String(version), short];
}
