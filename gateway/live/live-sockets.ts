import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type GraphQLError, type GraphQLFormattedError, type GraphQLSchema, parse } from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Authenticator } from '../authenticate.ts';
import type { PlanContext } from '../execute/plan-gateway.ts';
import type { OperationGate } from '../limits/operation-gate.ts';
import { admitFor, type Asking, runFor } from './live-caller.ts';
import type { LiveOperations, LiveRequest } from './live-operations.ts';

export type LiveDoor = Pick<Authenticator, 'whoAsks'> & {
  path: string;
  live: LiveOperations;
  schema: () => GraphQLSchema;
  maxTokens: number;
  /** Of the body of a request. */
  bodyLimit: number;
  admit: OperationGate['admit'];
  figures: NonNullable<PlanContext['figures']>;
  /** How long a request may take; subscriptions have none. */
  deadlineMs: number;
  /** Origins of pages that may open sockets, besides the one that the gateway itself serves. */
  origins: readonly string[];
  formatError: (error: GraphQLError) => GraphQLFormattedError;
};

type Asked = { asking: Asking; request: LiveRequest };

const PING_MS = 12_000;
const MOST_BYTES = 1024 * 1024;

/** Operations of all kinds over graphql-ws at the door's path. */
export function openLiveSockets(door: LiveDoor) {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_BYTES,
    handleProtocols: (offered) => offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  const answer = async (args: ExecutionArgs) => {
    const { asking, request } = args.contextValue as Asked;
    return (await runFor(asking, request, door)) as never;
  };
  const served = useServer(
    {
      onConnect: async ({ extra, connectionParams }) =>
        !('refused' in (await door.whoAsks(askingOf(extra.request, connectionParams)))),
      async onSubscribe({ extra, connectionParams }, _id, payload) {
        try {
          const asking = askingOf(extra.request, connectionParams);
          // The protocol wants a text: an empty one stands for a document that is named by its hash.
          const request: LiveRequest = { ...payload, query: payload.query === '' ? undefined : payload.query };
          const refused = await admitFor(asking, request, door);
          if (refused !== null) return [refused];
          const asked: Asked = { asking, request };
          return {
            schema: door.schema(),
            document: parse(String(request.query), { maxTokens: door.maxTokens }),
            operationName: payload.operationName,
            contextValue: asked,
          };
        } catch (error) {
          return [error as GraphQLError];
        }
      },
      execute: answer,
      subscribe: answer,
      onError: (_context, _id, _payload, errors) => errors.map(door.formatError),
      onNext: (_context, _id, _payload, _args, result) => formatted(result, door.formatError) as never,
    },
    sockets,
    PING_MS,
  );
  return {
    attach(server: Server): void {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const wanted = (request.url ?? '').split('?', 1)[0] === door.path;
        if (!wanted || !isOwnOrigin(request, door.origins)) return refuseUpgrade(socket, wanted ? 403 : 404);
        return sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
      });
    },
    async close(): Promise<void> {
      await served.dispose();
    },
  };
}

/** Browsers cannot set headers of a socket: they name their token in the parameters of the connection. */
function askingOf({ headers, socket }: IncomingMessage, params: Record<string, unknown> | undefined): Asking {
  const authorization = params?.['authorization'] ?? params?.['Authorization'];
  return { headers: { ...headers, ...(typeof authorization === 'string' && { authorization }) }, socket };
}

/** A socket is open to pages of every origin unless its server refuses them. */
export function isOwnOrigin({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Not Found'}\r\nconnection: close\r\n\r\n`);
}

type Result = { errors?: readonly GraphQLError[]; incremental?: Result[] };

/** A result, or a part of one, with its errors as callers see them. */
export function formatted<Some extends object>(result: Some, formatError: LiveDoor['formatError']): Some {
  const { errors, incremental } = result as Result;
  if (errors === undefined && incremental === undefined) return result;
  return {
    ...result,
    ...(errors && { errors: errors.map(formatError) }),
    ...(incremental && { incremental: incremental.map((part) => formatted(part, formatError)) }),
  };
}
