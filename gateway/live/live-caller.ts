import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { requestTrace } from '../../adapters/express/request-trace.ts';
import type { Authenticator, Refusal } from '../authenticate.ts';
import type { LiveCaller, LiveOperations, LiveRequest, LiveResult } from './live-operations.ts';
import { untilRefused } from './until-refused.ts';

/** How often it is looked at whether whoever reads a stream may still have it. */
const LOOK_AGAIN_MS = 30_000;

export type Asking = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Runs an operation for whoever asks; a stream ends when its token is no longer good. */
export async function runFor(
  asking: Asking,
  request: LiveRequest,
  { live, whoAsks }: { live: LiveOperations } & Pick<Authenticator, 'whoAsks'>,
): Promise<LiveResult> {
  const admission = await whoAsks(asking);
  if ('refused' in admission) return { errors: [refusalError(admission)] };
  const { traceparent, correlationId } = requestTrace(asking.headers);
  const caller: LiveCaller = {
    context: {
      forward: { traceparent, 'x-correlation-id': correlationId },
      identity: admission.identity,
      caller: admission.caller,
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

function refusalError({ message, code, hint }: Refusal): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...(hint !== undefined && { hint }) } });
}
