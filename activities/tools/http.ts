import { createHash } from 'node:crypto';
import { Context, type Info } from '@temporalio/activity';
import type { HttpClient } from '../../adapters/http/http-client.ts';
import type { HttpRequestInput, HttpResponse } from '../../domain/tools/activities.ts';
import { responseError } from '../../domain/tools/response-error.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';

export type HttpDependencies = { client: HttpClient };

export function http({ client }: HttpDependencies) {
  return (input: HttpRequestInput): Promise<HttpResponse> =>
    heartbeatWhile(async (signal) => {
      const headers = withIdempotencyKey(input.headers ?? {}, Context.current().info);
      const response = await client.send({ ...input, headers }, signal);
      const error = input.failOnStatus === false ? null : responseError(input.method ?? 'GET', response, Date.now());
      if (error) throw error;
      return response;
    });
}

/** The same for every attempt of a node's iteration; hashed, since run ids are nobody else's business. */
function withIdempotencyKey(headers: { [name: string]: string }, { workflowExecution, activityId }: Info) {
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'idempotency-key')) return headers;
  const key = createHash('sha256')
    .update(`${workflowExecution?.workflowId ?? ''}\n${activityId}`)
    .digest('hex');
  return { ...headers, 'Idempotency-Key': key };
}
