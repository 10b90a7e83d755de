import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { GraphQLError, GraphQLFormattedError, ValidationRule } from 'graphql';
import type { Logger } from 'pino';
import type { Authenticator } from '../authenticate.ts';
import type { PlanCache } from '../execute/plan-cache.ts';
import type { SubgraphSources } from '../execute/subgraph-answer.ts';
import type { PlanContext } from '../execute/plan-gateway.ts';
import type { OperationGate } from '../limits/operation-gate.ts';
import type { SubgraphContext } from '../subgraph-source.ts';
import { createLiveOperations, type LiveParts, type LiveRequest } from './live-operations.ts';
import { type LiveDoor, openLiveSockets } from './live-sockets.ts';
import { answerInParts, serveEvents } from './live-streams.ts';
import { createUpstreamLink, type UpstreamLink } from './upstream-link.ts';

export type LiveDoors = {
  /** graphql-ws on the upgrades of a server. */
  attach: (server: Server) => void;
  /** Server-sent events. */
  events: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** `multipart/mixed`. */
  parts: (request: IncomingMessage, response: ServerResponse, body: LiveRequest) => Promise<void>;
  close: () => Promise<void>;
};

export type LiveDoorsParts = Pick<Authenticator, 'whoAsks'> & {
  path: string;
  addressOf: (subgraph: string) => URL;
  plans: () => PlanCache;
  sources: () => SubgraphSources<SubgraphContext>;
  /** Hears of each other supergraph that is served from then on; what is given ends that. */
  onSwap: (swapped: () => void) => () => void;
  keepingFor: LiveParts['keepingFor'];
  rules: readonly ValidationRule[];
  maxTokens: number;
  bodyLimit: number;
  admit: OperationGate['admit'];
  figures: NonNullable<PlanContext['figures']>;
  /** How long a request may take; subscriptions have none. */
  deadlineMs: number;
  origins: readonly string[];
  log: Logger;
  formatError: (error: GraphQLError) => GraphQLFormattedError;
};

/** The doors for answers that come in parts. */
export function openLiveDoors(parts: LiveDoorsParts): LiveDoors {
  const { plans, sources, onSwap, keepingFor, rules, maxTokens, admit, addressOf, log } = parts;
  const links = new Map<string, UpstreamLink>();
  const linkTo = (subgraph: string): UpstreamLink => {
    const address = addressOf(subgraph);
    const link = links.get(address.href) ?? createUpstreamLink(address);
    links.set(address.href, link);
    return link;
  };
  const onLost = (subgraph: string, error: unknown, attempt: number) => {
    if (attempt === 1) log.warn({ err: error, subgraph }, 'the link for subscriptions was lost; it is made again');
  };
  const operations = { plans, sources, onSwap, keepingFor, rules, maxTokens, admit };
  const live = createLiveOperations({ ...operations, links: linkTo, onLost });
  const door: LiveDoor = { ...parts, live, schema: () => plans().federation.schema };
  const sockets = openLiveSockets(door);
  return {
    attach: sockets.attach,
    events: serveEvents(door),
    parts: (request, response, body) => answerInParts(door, request, response, body),
    async close() {
      await sockets.close();
      await Promise.all([...links.values()].map((link) => link.close()));
    },
  };
}
