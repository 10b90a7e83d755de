import { once } from 'node:events';
import express, { type Request, type Response, type Router } from 'express';
import type { TokenCursor } from '../../adapters/postgres/token-hub.ts';
import { AppError } from '../../domain/errors.ts';
import { demand } from '../../domain/access/allow.ts';
import type { TokenRecord } from '../../domain/models/token-event.ts';
import { sendProblem } from '../http/problem.ts';
import type { Principal } from '../access/principal.ts';
import { watchTokens, type WatchDeps } from './watch-tokens.ts';

const KEEP_ALIVE_MS = 15_000;
const RECONNECT_MS = 1_000;

export type StreamDoor = {
  /** Ends what is open when the server stops. */
  stopping: AbortSignal;
  principalFrom: (request: Request) => Promise<Principal>;
  depsOf: (principal: Principal) => WatchDeps;
  logInternal: (error: unknown) => void;
};

/** GET /runs/:id/nodes/:nodeId/stream: the tokens of a node as server-sent events. */
export function streamRoutes(door: StreamDoor): Router {
  const router = express.Router();
  router.get('/runs/:runId/nodes/:nodeId/stream', (request, response) => void serve(door, request, response));
  return router;
}

async function serve(
  { stopping, principalFrom, depsOf, logInternal }: StreamDoor,
  request: Request,
  response: Response,
) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const leaving = AbortSignal.any([gone.signal, stopping]);
  try {
    const principal = await principalFrom(request);
    demand(principal, 'runs:read', 'nodeTokens');
    const place = { ...placeOf(request), after: cursorOf(request) };
    const records = watchTokens(depsOf(principal), principal, place, leaving);
    // What is wrong with the request is known with the first one, when the status can still say it.
    const first = await records.next();
    if (first.done) return void response.status(204).end();
    begin(response);
    await send(response, first.value);
    for await (const record of records) await send(response, record);
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!response.headersSent) return sendProblem(response, error, logInternal);
    logInternal(error);
    response.destroy();
  }
}

function placeOf({ params, query }: Request) {
  const { iteration } = query;
  return {
    runId: String(params['runId']),
    nodeId: String(params['nodeId']),
    iteration: typeof iteration === 'string' ? iteration : undefined,
  };
}

/** By it a reader who has had the last event, and whose browser asks again, is told that nothing follows. */
export const cursorText = ({ attempt, seq, isLast }: Pick<TokenRecord, 'attempt' | 'seq' | 'isLast'>): string =>
  `${attempt}.${seq}${isLast ? '.last' : ''}`;

/** `attempt.seq`, as the ids of the events are; browsers send the last one by themselves. */
function cursorOf({ headers, query }: Request): TokenCursor | undefined {
  return parseCursor(headers['last-event-id'] ?? query['after'], 'Last-Event-ID');
}

/** @throws INPUT_INVALID */
export function parseCursor(given: unknown, name: string): TokenCursor | undefined {
  if (given === undefined || given === null || given === '') return undefined;
  const [, attempt, seq, last] = /^(\d{1,9})\.(\d{1,9})(\.last)?$/.exec(String(given)) ?? [];
  if (attempt === undefined) throw new AppError('INPUT_INVALID', { detail: `${name} must be the id of an event` });
  return { attempt: Number(attempt), seq: Number(seq), isLast: last !== undefined };
}

function begin(response: Response): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    Connection: 'keep-alive',
    'X-Accel-Buffering': 'no',
  });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  const alive = setInterval(() => response.write(': alive\n\n'), KEEP_ALIVE_MS);
  response.on('close', () => clearInterval(alive));
}

async function send(response: Response, record: TokenRecord): Promise<void> {
  const { attempt, seq, at, event } = record;
  const text = `id: ${cursorText(record)}\nevent: ${event.type}\ndata: ${JSON.stringify({ ...event, attempt, seq, at })}\n\n`;
  if (response.write(text) || response.closed) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}
