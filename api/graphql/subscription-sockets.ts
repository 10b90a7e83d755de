import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request } from 'express';
import {
  createSourceEventStream,
  execute,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  OperationTypeNode,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, type SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { IDENTITY_HEADER } from '../access/open-access.ts';
import type { Principal } from '../access/principal.ts';

export type SubscriptionDoor<Context> = {
  path: string;
  schema: GraphQLSchema;
  /** Finds out on whose behalf a subscription runs. */
  principalFrom: (request: Request) => Promise<Principal>;
  /** Made anew for each event, so that nothing of an earlier one is shown. */
  contextOf: (principal: Principal) => Context;
  formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
};

const PING_MS = 12_000;
const MOST_BYTES = 1024 * 1024;

/** Serves subscriptions over graphql-ws. The gateway signs for each of them who asks, in `extensions.identity`. */
export function openSubscriptionSockets<Context>(door: SubscriptionDoor<Context>) {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_BYTES,
    handleProtocols: (offered) => offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  const served = useServer(
    {
      onSubscribe: async ({ extra: { request } }, _id, payload) => {
        try {
          const principal = await door.principalFrom(withIdentity(request, payload));
          return readied(door, payload, principal);
        } catch (error) {
          return [asGraphqlError(error)];
        }
      },
      subscribe: (args) => eventsOf(door, args),
      onError: (_context, _id, _payload, errors) => errors.map((error) => door.formatError(error.toJSON(), error)),
      onNext: (_context, _id, _payload, _args, { errors, data = null, extensions }) => ({
        data,
        ...(extensions && { extensions }),
        ...(errors && { errors: errors.map((error) => door.formatError(error.toJSON(), error)) }),
      }),
    },
    sockets,
    PING_MS,
  );
  return {
    attach(server: Server): void {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if ((request.url ?? '').split('?', 1)[0] !== door.path) return;
        sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
      });
    },
    async close(): Promise<void> {
      await served.dispose();
    },
  };
}

type Args<Context> = ExecutionArgs & { contextValue: { principal: Principal; door: SubscriptionDoor<Context> } };

function readied<Context>(
  door: SubscriptionDoor<Context>,
  { query, operationName, variables }: SubscribePayload,
  principal: Principal,
): Args<Context> | readonly GraphQLError[] {
  const document = parse(query);
  const problems = validate(door.schema, document, specifiedRules);
  if (problems.length > 0) return problems;
  if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.SUBSCRIPTION) {
    return [new GraphQLError('This address is for subscriptions', { extensions: { code: 'BAD_REQUEST' } })];
  }
  const contextValue = { principal, door };
  return { schema: door.schema, document, operationName, variableValues: variables, contextValue };
}

async function eventsOf<Context>(door: SubscriptionDoor<Context>, args: ExecutionArgs) {
  const { principal } = (args as Args<Context>).contextValue;
  const events = await createSourceEventStream({ ...args, contextValue: door.contextOf(principal) });
  if (!(Symbol.asyncIterator in events)) return events;
  const source = events[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value: rootValue } = await source.next();
      if (done) return { done: true as const, value: undefined };
      const value = await execute({ ...args, rootValue, contextValue: door.contextOf(principal) });
      return { done: false as const, value };
    },
    async return() {
      await source.return?.();
      return { done: true as const, value: undefined };
    },
  };
}

function withIdentity({ headers, socket }: IncomingMessage, { extensions }: SubscribePayload): Request {
  const identity = extensions?.['identity'];
  const all: NodeJS.Dict<string | string[]> = {
    ...headers,
    ...(typeof identity === 'string' && { [IDENTITY_HEADER]: identity }),
  };
  const get = (name: string) => all[name.toLowerCase()];
  return { headers: all, get, ip: socket.remoteAddress } as unknown as Request;
}

const asGraphqlError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError((error as Error).message, { originalError: error as Error });
