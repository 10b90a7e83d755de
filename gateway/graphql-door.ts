import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { GraphQLError } from 'graphql';
import type { LiveRequest } from './live/live-operations.ts';
import { wantsParts } from './live/live-streams.ts';
import { readBody } from './read-body.ts';

export type GraphqlDoor<Context extends object> = {
  apollo: ApolloServer<Context>;
  /** Answers a request itself, and gives false, when it may not go on. */
  admits: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
  context: (request: IncomingMessage) => Promise<Context>;
  /** Answers in parts, where that is possible. */
  parts: ((request: IncomingMessage, response: ServerResponse, body: LiveRequest) => Promise<void>) | undefined;
  bodyLimit: number;
  /** The error of what may not go on. */
  gate: (body: unknown, request: IncomingMessage) => Promise<GraphQLError | null>;
};

/** Whether a request is one that `answerPost` takes; Express answers the others. */
export function isPlainPost({ method, headers }: IncomingMessage): boolean {
  if (method !== 'POST' || headers['content-encoding'] !== undefined) return false;
  return /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(headers['content-type'] ?? '');
}

/** Answers a GraphQL request without a web framework, which would cost more than the rest of a small one. */
export async function answerPost<Context extends object>(
  { apollo, admits, context, parts, bodyLimit, gate }: GraphqlDoor<Context>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!(await admits(request, response))) return;
  const text = await readBody(request, bodyLimit);
  if (text === null) {
    return refuse(response, 413, 'PAYLOAD_TOO_LARGE', `The request exceeds ${bodyLimit} bytes`);
  }
  const body = parsed(text);
  if (body === undefined) return refuse(response, 400, 'BAD_REQUEST', 'The request body cannot be read as JSON');
  const refused = await gate(body, request);
  if (refused !== null) return refuseOperation(response, refused);
  const { query } = body as LiveRequest;
  if (parts && wantsParts(request) && typeof query === 'string' && query.includes('@defer')) {
    return parts(request, response, body as LiveRequest);
  }
  const answer = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers: headersOf(request), search: '', body },
    context: () => context(request),
  });
  if (response.destroyed) return;
  const { status = 200, headers, body: answered } = answer;
  if (answered.kind === 'complete') {
    headers.set('content-length', String(Buffer.byteLength(answered.string)));
    response.writeHead(status, Object.fromEntries(headers)).end(answered.string);
    return;
  }
  response.writeHead(status, Object.fromEntries(headers));
  for await (const chunk of answered.asyncIterator) response.write(chunk);
  response.end();
}

function headersOf({ headers }: IncomingMessage): HeaderMap {
  const map = new HeaderMap();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) map.set(name, typeof value === 'string' ? value : value.join(', '));
  }
  return map;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

/** A document that is not known is no bad request: its client sends the text next. */
export function refuseOperation(response: ServerResponse, { message, extensions }: GraphQLError): void {
  const status = String(extensions['code']).startsWith('PERSISTED_QUERY_') ? 200 : 400;
  const body = JSON.stringify({ errors: [{ message, extensions }] });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}
