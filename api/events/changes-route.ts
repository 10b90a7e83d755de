import { once } from 'node:events';
import express, { type Request, type Response, type Router } from 'express';
import { watchChangedStreams } from '../../adapters/postgres/changed-streams.ts';
import { type Access, IDENTIFY_AUDIENCE, IDENTITY_HEADER } from '../access/open-access.ts';
import { sendProblem } from '../http/problem.ts';
import type { EventDoors } from './mount-events.ts';

/** Shorter than the gateway waits for something to come. */
const HEARTBEAT_MS = 5_000;

export type ChangesDoor = Pick<EventDoors, 'pool'> & {
  access: Pick<Access, 'internal'>;
  logInternal: (error: unknown) => void;
  /** Ends what is open. */
  stopping: AbortSignal;
};

/** GET /internal/changes: tells the gateway which streams of which tenants get events, as server-sent events. */
export function changesRoute({ pool, access, logInternal, stopping }: ChangesDoor): Router {
  const router = express.Router();
  async function answer(request: Request, response: Response): Promise<void> {
    const leaving = new AbortController();
    response.on('close', () => leaving.abort());
    try {
      await access.internal?.verify(request.get(IDENTITY_HEADER) ?? '', IDENTIFY_AUDIENCE);
      const signal = AbortSignal.any([leaving.signal, stopping]);
      await tell(response, watchChangedStreams(pool, signal), signal);
    } catch (error) {
      if (!response.headersSent) return sendProblem(response, error, logInternal);
      if (!leaving.signal.aborted && !stopping.aborted) logInternal(error);
      response.end();
    }
  }
  router.get('/internal/changes', (request, response) => void answer(request, response));
  return router;
}

type Changes = ReturnType<typeof watchChangedStreams>;

async function tell(response: Response, changes: Changes, signal: AbortSignal): Promise<void> {
  await changes.next();
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
  response.write(': begin\n\n');
  const alive = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
  response.on('close', () => clearInterval(alive));
  for await (const changed of changes) {
    const taken = changed.map((one) => response.write(`data: ${JSON.stringify(one)}\n\n`));
    if (taken.includes(false)) await once(response, 'drain', { signal });
  }
}
