import { once } from 'node:events';
import express, { type Request, type Response, type Router } from 'express';
import { demand } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import { shownEvent } from '../../domain/events/shown-event.ts';
import type { Principal } from '../access/principal.ts';
import { sendProblem } from '../http/problem.ts';
import { type FollowDeps, type FollowedEvents, followEvents } from './follow-events.ts';

const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 1_000;
/** Then the client has to come again, and to show again who it is. */
const LONGEST_MS = 15 * 60_000;

export type EventDoor<Asked> = {
  principalFrom: (request: Asked) => Promise<Principal>;
  depsOf: (principal: Principal) => FollowDeps;
  logInternal: (error: unknown) => void;
  heartbeatMs?: number;
  /** Ends what is open. */
  stopping?: AbortSignal;
};

/** GET /events: stored events as server-sent events. GET /event-types: what there is, with JSON Schemas. */
export function eventRoutes(door: EventDoor<Request>): Router {
  const { principalFrom, depsOf, logInternal, heartbeatMs, stopping } = door;
  const router = express.Router();
  const answering =
    (answer: (request: Request, response: Response, principal: Principal) => Promise<void>) =>
    async (request: Request, response: Response) => {
      try {
        const principal = await principalFrom(request);
        demand(principal, 'events:read', 'events');
        await answer(request, response, principal);
      } catch (error) {
        if (response.headersSent) response.destroy();
        else sendProblem(response, error, logInternal);
      }
    };
  router.get(
    '/events',
    answering(async (request, response, principal) => {
      const leaving = new AbortController();
      const end = () => response.end();
      stopping?.addEventListener('abort', end);
      response.on('close', () => {
        leaving.abort();
        stopping?.removeEventListener('abort', end);
      });
      const follow = { filter: filterOf(request), after: afterOf(request) };
      const pages = followEvents(depsOf(principal), principal, follow, leaving.signal);
      // What is wrong with the request is known with the first page, when the status can still say it.
      const first = await pages.next();
      await stream(response, first.value, pages, heartbeatMs ?? HEARTBEAT_MS).catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        logInternal(error);
        response.destroy();
      });
    }),
  );
  router.get(
    '/event-types',
    answering(async (_, response) => void response.json({ eventTypes: EVENT_TYPES })),
  );
  return router;
}

async function stream(
  response: Response,
  first: FollowedEvents,
  pages: AsyncIterable<FollowedEvents>,
  heartbeatMs: number,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    Connection: 'keep-alive',
    'X-Accel-Buffering': 'no',
  });
  let { position } = first;
  response.write(`retry: ${RECONNECT_MS}\nid: ${position}\n\n`);
  // An id without data moves where the client goes on from, past what its filter leaves out.
  const alive = setInterval(() => response.write(`: alive\nid: ${position}\n\n`), heartbeatMs);
  const over = setTimeout(() => response.end(), LONGEST_MS);
  response.on('close', () => {
    clearInterval(alive);
    clearTimeout(over);
  });
  for await (const page of pages) {
    for (const event of page.events) {
      const isTaken = response.write(`id: ${event.position}\ndata: ${JSON.stringify(shownEvent(event))}\n\n`);
      // A client that reads slowly is waited for: nothing more is read for it meanwhile.
      if (!isTaken) await drained(response);
      if (response.closed || response.writableEnded) return;
      position = event.position;
    }
    position = page.position;
  }
}

async function drained(response: Response): Promise<void> {
  if (response.closed) return;
  const over = new AbortController();
  const { signal } = over;
  const ends = [once(response, 'drain', { signal }), once(response, 'close', { signal })];
  try {
    await Promise.race(ends);
  } finally {
    over.abort();
    await Promise.allSettled(ends);
  }
}

function filterOf({ query }: Request) {
  const one = (name: string): string | undefined => {
    const value = query[name];
    if (value === undefined || typeof value === 'string') return value;
    throw new AppError('INPUT_INVALID', { detail: `${name} must be given once` });
  };
  const types = [query['type'] ?? []].flat().map(String);
  return {
    types: types.length > 0 ? types : undefined,
    correlationId: one('correlation'),
    streamId: one('stream'),
  };
}

function afterOf({ headers, query }: Request): string {
  const given = headers['last-event-id'] ?? query['after'];
  return given === undefined || given === '' ? 'head' : String(given);
}
