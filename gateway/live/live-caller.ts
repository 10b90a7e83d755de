import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { requestTrace } from '../../adapters/express/request-trace.ts';
import { gateCaller } from '../limits/operation-gate.ts';
import { DEADLINE_HEADER } from '../subgraph-source.ts';
import type { Refusal } from '../authenticate.ts';
import type { LiveCaller, LiveRequest, LiveResult } from './live-operations.ts';
import type { LiveDoor } from './live-sockets.ts';
import { untilRefused } from './until-refused.ts';

/** How often it is looked at whether whoever reads a stream may still have it. */
const LOOK_AGAIN_MS = 30_000;

export type Asking = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Runs an operation for whoever asks; a stream ends when its token is no longer good. */
export async function runFor(
  asking: Asking,
  request: LiveRequest,
  { live, whoAsks, figures, deadlineMs }: Pick<LiveDoor, 'live' | 'whoAsks' | 'figures' | 'deadlineMs'>,
): Promise<LiveResult> {
  const admission = await whoAsks(asking);
  if ('refused' in admission) return { errors: [refusalError(admission)] };
  const { traceparent, correlationId } = requestTrace(asking.headers);
  const caller: LiveCaller = {
    context: {
      forward: { traceparent, 'x-correlation-id': correlationId },
      ...{ identity: admission.identity, caller: admission.caller, tenantId: admission.tenantId },
      figures: wantsFigures(asking) ? figures : undefined,
      deadline: deadlineOf(asking, deadlineMs),
    },
    scope: admission.scope,
  };
  const result = await live.run(request, caller);
  if (!(Symbol.asyncIterator in result)) return result;
  return untilRefused(result, LOOK_AGAIN_MS, async () => {
    const now = await whoAsks(asking);
    if ('refused' in now) return refusalError(now);
    return live.denied(request, { ...caller, context: { ...caller.context, caller: now.caller } });
  });
}

/** Looks at an operation, whose text may come from its hash, before it is parsed. Null when it may go on. */
export async function admitFor(
  asking: Asking,
  request: LiveRequest,
  { whoAsks, admit }: Pick<LiveDoor, 'whoAsks' | 'admit'>,
): Promise<GraphQLError | null> {
  const admission = await whoAsks(asking);
  if ('refused' in admission) return refusalError(admission);
  return admit(request, gateCaller(admission));
}

/** When a request is over: after so long, or sooner where its caller says so. */
export function deadlineOf({ headers }: Pick<Asking, 'headers'>, mostMs: number): number {
  const given = Number(headers[DEADLINE_HEADER]);
  return Date.now() + (given > 0 && given < mostMs ? given : mostMs);
}

/** Whether a request asks for how large its operation is. */
export const wantsFigures = ({ headers }: Pick<Asking, 'headers'>): boolean => headers['x-weft-figures'] === '1';

function refusalError({ message, code, hint }: Refusal): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...(hint !== undefined && { hint }) } });
}
