import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { demand } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { shownEvent } from '../../domain/events/shown-event.ts';
import type { Principal } from '../access/principal.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import { pathOf } from '../http/refuse-upgrades.ts';
import type { FilterInput } from '../runs/read-stored-events.ts';
import type { EventDoor } from './event-routes.ts';
import { type FollowDeps, followEvents } from './follow-events.ts';

const PATH = '/events/socket';
const HEARTBEAT_MS = 15_000;
const LONGEST_MS = 15 * 60_000;
/** What a slow reader may leave unsent before no more is read for it. */
const MOST_UNSENT_BYTES = 1_048_576;
const DRAIN_MS = 20;
const MOST_FOLLOWED = 20;
const MOST_MESSAGE_BYTES = 65_536;
const CLOSES = { goingAway: 1001, refused: 4400, again: 4408 };

/** WebSocket at /events/socket: any number of followed filters, each from its own position. */
export function openEventSockets(door: EventDoor<IncomingMessage>) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE_BYTES, perMessageDeflate: false });
  const serve = async (socket: WebSocket, request: IncomingMessage) => {
    socket.on('error', () => socket.terminate());
    // A message may come while it is still being found out who sends it.
    const early: string[] = [];
    const keep = (data: Buffer) => void early.push(data.toString());
    socket.on('message', keep);
    try {
      const principal = await door.principalFrom(request);
      demand(principal, 'events:read', 'events');
      socket.off('message', keep);
      converse(socket, door, principal, early);
    } catch (error) {
      send(socket, refusal(null, error, door.logInternal));
      socket.close(CLOSES.refused);
    }
  };
  return {
    /** Takes upgrades of its path alone. */
    attach(server: Server): void {
      server.on('upgrade', (request, socket, head) => {
        if (pathOf(request) !== PATH) return;
        sockets.handleUpgrade(request, socket, head, (opened) => void serve(opened, request));
      });
    },
    close(): void {
      for (const socket of sockets.clients) socket.close(CLOSES.goingAway, 'the server stops');
      sockets.close();
    },
  };
}

type Door = EventDoor<IncomingMessage>;
type Followed = Map<string, { leave: AbortController; position: bigint }>;

function converse(socket: WebSocket, door: Door, principal: Principal, early: readonly string[]): void {
  const followed: Followed = new Map();
  const deps = door.depsOf(principal);
  const hear = (text: string) => {
    try {
      answer(socket, { deps, principal, followed, logInternal: door.logInternal }, parsed(text));
    } catch (error) {
      send(socket, refusal(null, error, door.logInternal));
    }
  };
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  const alive = setInterval(() => {
    // What is not answered until the next one is a connection that nobody holds any more.
    if (!isAlive && socket.bufferedAmount === 0) return socket.terminate();
    isAlive = false;
    socket.ping();
    for (const [id, { position }] of followed) send(socket, { type: 'position', id, position: String(position) });
  }, door.heartbeatMs ?? HEARTBEAT_MS);
  const over = setTimeout(() => socket.close(CLOSES.again, 'come again'), LONGEST_MS);
  socket.on('close', () => {
    clearInterval(alive);
    clearTimeout(over);
    for (const { leave } of followed.values()) leave.abort();
  });
  socket.on('message', (data: Buffer) => hear(data.toString()));
  early.forEach(hear);
}

type Conversation = {
  deps: FollowDeps;
  principal: Principal;
  followed: Followed;
  logInternal: (error: unknown) => void;
};
type Message = { type: string; id: string; filter: FilterInput; after: string };

function answer(socket: WebSocket, conversation: Conversation, message: Message): void {
  const { followed } = conversation;
  followed.get(message.id)?.leave.abort();
  followed.delete(message.id);
  if (message.type === 'unsubscribe') return send(socket, { type: 'unsubscribed', id: message.id });
  if (followed.size >= MOST_FOLLOWED) {
    throw new AppError('INPUT_INVALID', { detail: `a connection follows at most ${MOST_FOLLOWED} filters` });
  }
  const leave = new AbortController();
  followed.set(message.id, { leave, position: 0n });
  void follow(socket, conversation, message, leave.signal).catch((error: unknown) => {
    if (leave.signal.aborted) return;
    followed.delete(message.id);
    send(socket, refusal(message.id, error, conversation.logInternal));
  });
}

async function follow(
  socket: WebSocket,
  { deps, principal, followed }: Conversation,
  { id, filter, after }: Message,
  signal: AbortSignal,
): Promise<void> {
  let isFirst = true;
  for await (const { events, position } of followEvents(deps, principal, { filter, after }, signal)) {
    if (signal.aborted) return;
    if (isFirst) send(socket, { type: 'subscribed', id, position: String(position) });
    isFirst = false;
    if (events.length > 0) {
      send(socket, { type: 'events', id, position: String(position), events: events.map(shownEvent) });
    }
    const own = followed.get(id);
    if (own) own.position = position;
    while (socket.bufferedAmount > MOST_UNSENT_BYTES && !signal.aborted) await sleep(DRAIN_MS);
  }
}

/** @throws INPUT_INVALID */
function parsed(text: string): Message {
  let message: Json = null;
  try {
    message = JSON.parse(text) as Json;
  } catch {
    // Told below.
  }
  const { type = null, id = '1', filter = {}, after = 'head' } = isJsonObject(message) ? message : {};
  const isKnown = type === 'subscribe' || type === 'unsubscribe';
  if (!isKnown || typeof id !== 'string' || typeof after !== 'string' || !isJsonObject(filter)) {
    const detail =
      'a message must be {"type": "subscribe" or "unsubscribe", "id": text, "filter": {...}, "after": position}';
    throw new AppError('INPUT_INVALID', { detail });
  }
  const { types, correlationId, streamId, ...others } = filter;
  const isText = (value: Json | undefined) => value === undefined || typeof value === 'string';
  const areTexts = types === undefined || (Array.isArray(types) && types.every((one) => typeof one === 'string'));
  if (!areTexts || !isText(correlationId) || !isText(streamId) || Object.keys(others).length > 0) {
    throw new AppError('INPUT_INVALID', { detail: 'a filter has types, correlationId and streamId' });
  }
  return { type, id, filter, after };
}

function send(socket: WebSocket, message: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

function refusal(id: string | null, error: unknown, logInternal: (error: unknown) => void): object {
  const known = toAppError(error) ?? new AppError('INTERNAL', {}, error);
  if (known.code === 'INTERNAL') logInternal(error);
  return { type: 'error', id, code: known.code, message: known.message };
}
