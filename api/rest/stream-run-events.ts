import { once } from 'node:events';
import type { Request, Response } from 'express';
import { demand } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { listRunEvents, readRunOf } from '../runs/read-runs.ts';
import type { Given } from './rest-route.ts';

const PAGE = 500;
/** Proxies close what says nothing. */
const QUIET_MS = 15_000;
/** The client comes back by itself, and shows its token again. */
const LONGEST_MS = 10 * 60_000;

/** Events of a run as they are stored, after the last one that the client has, until the run is closed. */
export async function streamRunEvents(
  deps: RunsDeps,
  principal: Principal,
  { path, query }: Given,
  request: Request,
  response: Response,
): Promise<void> {
  demand(principal, 'runs:read', 'run');
  const id = path['id'] ?? '';
  const first = await readRunOf(deps, principal, id);
  if (!first) throw new AppError('NOT_FOUND', { what: 'run', id });
  let after = startOf(request, query['after']);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  for (const until = Date.now() + LONGEST_MS; !gone.signal.aborted && Date.now() < until;) {
    const moved = deps.runChanges.next(first.id, AbortSignal.any([gone.signal, AbortSignal.timeout(QUIET_MS)]));
    const heard = moved.then(
      () => true,
      () => false,
    );
    const run = await readRunOf(deps, principal, id);
    const events = await listRunEvents(deps, id, { after, first: PAGE });
    for (const { sequence, type, payload, occurredAt } of events) {
      const data = JSON.stringify({ id: sequence, type, occurredAt, payload });
      await write(response, `id: ${sequence}\nevent: ${type}\ndata: ${data}\n\n`, gone.signal);
      after = sequence;
    }
    if (events.length === PAGE) continue;
    if (!run || isClosed(run.status)) {
      await write(response, `event: end\ndata: ${JSON.stringify({ status: run?.status ?? null })}\n\n`, gone.signal);
      break;
    }
    if (!(await heard)) await write(response, ': still here\n\n', gone.signal);
  }
  response.end();
}

function startOf(request: Request, after: unknown): number {
  const last = request.get('last-event-id');
  if (last === undefined) return typeof after === 'number' ? after : 0;
  if (/^\d{1,10}$/.test(last) && Number(last) < 2 ** 31) return Number(last);
  throw new AppError('INPUT_INVALID', { detail: 'Last-Event-ID is not the id of an event' });
}

/** No faster than the client reads. */
async function write(response: Response, text: string, gone: AbortSignal): Promise<void> {
  if (gone.aborted || response.write(text)) return;
  await once(response, 'drain', { signal: gone }).catch(() => undefined);
}
