import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { HttpClient } from '../../adapters/http/http-client.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { EventRecorder } from '../../domain/events/event-recorder.ts';
import type { HttpRequestInput, HttpResponse } from '../../domain/tools/activities.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { responseError } from '../../domain/tools/response-error.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { recordCall, requestHash } from '../record-call.ts';
import { idempotencyKey, withEffect } from '../with-effect.ts';

export type HttpDependencies = { client: HttpClient; effects: EffectLedger; events: EventRecorder };

/** They only read: repeating one does no harm, an answer kept would be an old one, and the ledger costs two writes a call. */
const READING: readonly string[] = ['GET', 'HEAD'];
const KEY_HEADER = 'idempotency-key';

export function http({ client, effects, events }: HttpDependencies) {
  return ({ onUnknown = 'retry', ...input }: HttpRequestInput): Promise<HttpResponse> =>
    heartbeatWhile(async (signal) => {
      const method = input.method ?? 'GET';
      const answer = async (key: string) => {
        const response = await client.send({ ...input, headers: withKey(input.headers ?? {}, key) }, signal);
        const error = input.failOnStatus === false ? null : responseError(method, response, Date.now());
        if (error) throw error;
        return response;
      };
      const send = (key: string) =>
        recordCall(events, {
          type: 'tool.called',
          asked: { kind: 'http', tool: `${method} ${plainUrl(input.url)}`, requestHash: requestHash(input) },
          answered: ({ status }) => ({ status }),
          send: () => answer(key),
        });
      if (READING.includes(method)) return send(idempotencyKey(Context.current().info));
      return withEffect(effects, { asked: input, request: shownOf(input, method), onUnknown, send });
    });
}

/** The node's own key, where its headers name one, goes first. */
function withKey(headers: { [name: string]: string }, key: string) {
  if (Object.keys(headers).some((name) => name.toLowerCase() === KEY_HEADER)) return headers;
  return { ...headers, 'Idempotency-Key': key };
}

const plainUrl = (url: string): string => url.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');

/** Queries, header values and bodies may hold secrets. */
function shownOf({ url, headers = {}, body }: HttpRequestInput, method: string): JsonObject {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  return {
    method,
    url: plainUrl(url),
    headers: Object.keys(headers),
    ...(text === null
      ? {}
      : { bodyBytes: Buffer.byteLength(text), bodyHash: createHash('sha256').update(text).digest('hex') }),
  };
}
