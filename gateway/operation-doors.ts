import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { openRedisTexts } from '../adapters/redis/redis-texts.ts';
import type { Settings } from '../config/settings.ts';
import type { Authenticator } from './authenticate.ts';
import { createPublishedDocuments } from './documents/published-documents.ts';
import { createDocumentResolver, type DocumentsMode } from './documents/resolve-documents.ts';
import { createMemoryTexts, createTieredTexts, type TextStore } from './documents/text-store.ts';
import type { PlanContext } from './execute/plan-gateway.ts';
import { refuseOperation } from './graphql-door.ts';
import { limitsOf, type Limits } from './limits/limits.ts';
import { createOperationGate, gateCaller, type GivenOperation, type OperationGate } from './limits/operation-gate.ts';

export type OperationDoor = {
  limits: Limits;
  admit: OperationGate['admit'];
  /** The error of a request that may not go on. */
  gate: (body: unknown, request: IncomingMessage) => Promise<GraphQLError | null>;
  figures: NonNullable<PlanContext['figures']>;
  close: () => Promise<void>;
};

const REDIS_SECONDS = 30 * 24 * 3600;

/** What every door asks before an operation is looked at: its limits, and the documents that are known by their hash. */
export function openOperationDoor(settings: Settings, log: Logger, authenticator: Authenticator): OperationDoor {
  const limits = limitsOf(settings);
  const published = createPublishedDocuments(settings.WORKFLOW_API_URL, log);
  const automatic = settings.WEFT_GATEWAY_APQ ? automaticDocuments(settings, log) : null;
  const resolve = createDocumentResolver({
    mode: settings.WEFT_GATEWAY_DOCUMENTS as DocumentsMode,
    published,
    automatic: automatic?.texts ?? null,
  });
  const { admit, admitBody, measuresOf } = createOperationGate(limits, resolve);
  return {
    limits,
    admit,
    gate(body, request) {
      return admitBody(body, gateCaller(authenticator.admitted(request)));
    },
    figures: (query, cost) => ({ ...measuresOf(query), cost }),
    async close() {
      await published.close();
      await automatic?.close();
    },
  };
}

function automaticDocuments(settings: Settings, log: Logger): { texts: TextStore; close: () => Promise<void> } {
  const near = createMemoryTexts(settings.WEFT_GATEWAY_APQ_KB * 1024);
  if (settings.REDIS_URL === null) return { texts: near, close: async () => {} };
  const warn = (error: unknown) => log.warn({ err: error }, 'Redis does not keep documents');
  const far = openRedisTexts(settings.REDIS_URL, { prefix: 'weft:document:', seconds: REDIS_SECONDS, onError: warn });
  return { texts: createTieredTexts(near, far, warn), close: () => far.close() };
}

/** The same for the requests that Express answers. */
export function gateRequests({ gate }: Pick<OperationDoor, 'gate'>): { handler: RequestHandler } {
  return {
    async handler(request, response: ServerResponse, next) {
      const refused = await gate(request.method === 'GET' ? asOperation(request) : request.body, request);
      if (refused === null) next();
      else refuseOperation(response, refused);
    },
  };
}

/** The operation of a GET request is in its address; what is put into it goes back there. */
function asOperation(request: Parameters<RequestHandler>[0]): GivenOperation {
  const address = new URL(request.originalUrl, 'http://gateway');
  const given = address.searchParams;
  const text = (name: string) => given.get(name) ?? undefined;
  const operation: GivenOperation = { documentId: text('documentId'), extensions: parsed(text('extensions')) };
  let query: unknown = text('query');
  return Object.defineProperty(operation, 'query', {
    get: () => query,
    set(found: string) {
      query = found;
      given.set('query', found);
      given.delete('extensions');
      given.delete('documentId');
      request.originalUrl = address.pathname + address.search;
      request.url = address.search === '' ? '/' : `/${address.search}`;
    },
  });
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
