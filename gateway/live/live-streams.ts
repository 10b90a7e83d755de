import type { IncomingMessage, ServerResponse } from 'node:http';
import { getOperationAST, OperationTypeNode, parse } from 'graphql';
import { readBody } from '../read-body.ts';
import { admitFor, runFor } from './live-caller.ts';
import type { LiveRequest } from './live-operations.ts';
import { formatted, isOwnOrigin, type LiveDoor } from './live-sockets.ts';

type Served = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** So that nothing between takes a quiet stream for a dead one. */
const PING_MS = 12_000;

const isJson = ({ headers }: IncomingMessage): boolean => /^application\/json\b/i.test(headers['content-type'] ?? '');
const accepts = ({ headers }: IncomingMessage, type: string): boolean => headers.accept?.includes(type) ?? false;

export const wantsEvents = (request: IncomingMessage): boolean => accepts(request, 'text/event-stream');
export const wantsParts = (request: IncomingMessage): boolean => accepts(request, 'multipart/mixed');

/** Operations of all kinds as server-sent events, one request each (the distinct connections mode of graphql-sse). */
export function serveEvents(door: LiveDoor): Served {
  return async (request, response) => {
    const isGet = request.method === 'GET';
    // Pages of any origin may send what is no JSON, and ask for events, without being asked about it first.
    if (!isOwnOrigin(request, door.origins) || !(isGet || isJson(request)))
      return refuse(response, 403, 'ACCESS_DENIED', 'Pages of other origins, and bodies that are no JSON, are refused');
    const asked = isGet ? askedInUrl(request) : await askedInBody(request, door.bodyLimit);
    if (asked === null) return refuse(response, 400, 'BAD_REQUEST', 'The request cannot be read as a GraphQL request');
    const refused = isGet ? await admitFor(request, asked, door) : null;
    if (isGet && refused === null && !isReading(asked, door.maxTokens)) {
      response.setHeader('allow', 'POST');
      return refuse(response, 405, 'METHOD_NOT_ALLOWED', 'Mutations are sent by POST');
    }
    const result = refused === null ? await runFor(request, asked, door) : { errors: [refused] };
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    await writeEvents(response, Symbol.asyncIterator in result ? result : once(result), door);
  };
}

/** Asks for the next event when the peer has taken the one before. */
async function writeEvents(response: ServerResponse, results: AsyncGenerator<object>, door: LiveDoor): Promise<void> {
  const write = (text: string) => new Promise<void>((resolve) => void response.write(text, () => resolve()));
  const pinger = setInterval(() => {
    if (response.writableLength === 0) response.write(':\n\n');
  }, PING_MS);
  response.once('close', () => {
    clearInterval(pinger);
    void results.return(undefined);
  });
  await write(':\n\n');
  for await (const result of results) {
    if (response.destroyed) return;
    await write(`event: next\ndata: ${JSON.stringify(formatted(result, door.formatError))}\n\n`);
  }
  clearInterval(pinger);
  response.end('event: complete\ndata:\n\n');
}

async function* once(result: object): AsyncGenerator<object> {
  yield result;
}

function askedInUrl({ url = '' }: IncomingMessage): LiveRequest | null {
  const given = new URLSearchParams(url.split('?', 2)[1]);
  const asked: LiveRequest = { query: given.get('query') ?? undefined, operationName: given.get('operationName') };
  const documentId = given.get('documentId');
  if (documentId !== null) asked.documentId = documentId;
  const parts = ['variables', 'extensions'].flatMap((name) => {
    const value = given.get(name);
    return value === null ? [] : [`"${name}":${value}`];
  });
  return objectIn(`{${parts.join()}}`, asked);
}

async function askedInBody(request: IncomingMessage, limit: number): Promise<LiveRequest | null> {
  const text = await readBody(request, limit);
  return text === null ? null : objectIn(text, {});
}

function objectIn(text: string, asked: LiveRequest): LiveRequest | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? { ...asked, ...found } : null;
  } catch {
    return null;
  }
}

function isReading({ query, operationName }: LiveRequest, maxTokens: number): boolean {
  try {
    const operation = getOperationAST(parse(String(query), { maxTokens }), operationName as string | null);
    return operation?.operation !== OperationTypeNode.MUTATION;
  } catch {
    return true;
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}

/** Answers with a part for what comes first and one for each deferred part, as `multipart/mixed`. */
export async function answerInParts(
  door: LiveDoor,
  request: IncomingMessage,
  response: ServerResponse,
  body: LiveRequest,
): Promise<void> {
  const result = await runFor(request, body, door);
  if (!(Symbol.asyncIterator in result)) {
    const text = JSON.stringify(formatted(result, door.formatError));
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);
    return;
  }
  response.once('close', () => void result.return(undefined));
  response.writeHead(200, { 'content-type': 'multipart/mixed; boundary="-"; deferSpec=20220824' });
  response.write('\r\n---\r\n');
  for await (const payload of result) {
    if (response.destroyed) return;
    const last = !('hasNext' in payload && payload.hasNext);
    const text = JSON.stringify(formatted(payload, door.formatError));
    response.write(`content-type: application/json; charset=utf-8\r\n\r\n${text}\r\n---${last ? '--' : ''}\r\n`);
  }
  response.end();
}
