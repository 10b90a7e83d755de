import type { IncomingMessage, ServerResponse } from 'node:http';
import { getOperationAST, OperationTypeNode, parse } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { runFor } from './live-caller.ts';
import type { LiveRequest } from './live-operations.ts';
import { formatted, type LiveDoor } from './live-sockets.ts';

const accepts = ({ headers }: IncomingMessage, type: string): boolean => headers.accept?.includes(type) ?? false;

export const wantsEvents = (request: IncomingMessage): boolean => accepts(request, 'text/event-stream');
export const wantsParts = (request: IncomingMessage): boolean => accepts(request, 'multipart/mixed');

/** Operations of all kinds as server-sent events, one request each. */
export function serveEvents(door: LiveDoor): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return createHandler({
    // One connection for many operations would need its own proof of who asks.
    authenticate: () => undefined,
    async onSubscribe({ raw, method }, params) {
      if (method === 'GET' && !isReading(params.query, params.operationName, door.maxTokens)) {
        return [null, { status: 405, statusText: 'Method Not Allowed', headers: { allow: 'POST' } }];
      }
      return (await runFor(raw, params, door)) as never;
    },
    onNext: (_context, _request, result) => formatted(result, door.formatError),
  });
}

function isReading(query: unknown, operationName: string | undefined, maxTokens: number): boolean {
  try {
    const operation = getOperationAST(parse(String(query), { maxTokens }), operationName);
    return operation?.operation !== OperationTypeNode.MUTATION;
  } catch {
    return true;
  }
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
