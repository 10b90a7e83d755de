import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { DocumentResolver, GivenOperation } from '../limits/operation-gate.ts';
import type { PublishedDocuments } from './published-documents.ts';
import type { TextStore } from './text-store.ts';

export type DocumentsMode = 'off' | 'prefer' | 'only';
export type DocumentParts = {
  mode: DocumentsMode;
  published: PublishedDocuments;
  /** Null where documents may not be asked for by their hash because they were sent once. */
  automatic: TextStore | null;
};

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Documents by hash: `documentId` (`sha256:<hash>`) or Apollo's `extensions.persistedQuery`. Published ones are looked for
 * first; what was sent with its hash once comes second.
 */
export function createDocumentResolver({ mode, published, automatic }: DocumentParts): DocumentResolver {
  return async (operation, caller) => {
    const { query } = operation;
    const hash = hashOf(operation);
    if (hash instanceof GraphQLError) return hash;
    if (hash === null) {
      // The operator has to be able to publish the first ones.
      if (mode !== 'only' || caller.isOperator || typeof query !== 'string') return null;
      return (await published.find(sha256(query), caller)) === null ? notPublished() : null;
    }
    if (typeof query === 'string' && sha256(query) !== hash) return mismatch();
    const known = mode === 'off' ? null : await published.find(hash, caller);
    if (known === null && mode === 'only') return notPublished();
    if (known !== null) return take(operation, known);
    if (automatic === null) return notSupported();
    if (typeof query === 'string') {
      await automatic.put(hash, query);
      return take(operation, query);
    }
    const sent = await automatic.get(hash);
    return sent === null ? notFound() : take(operation, sent);
  };
}

/** Null without one; lower case, without the name of the algorithm. */
function hashOf({ documentId, extensions }: GivenOperation): string | null | GraphQLError {
  const persisted = (extensions as { persistedQuery?: { version?: unknown; sha256Hash?: unknown } } | null | undefined)
    ?.persistedQuery;
  if (documentId == null && persisted == null) return null;
  const given = documentId ?? persisted?.sha256Hash;
  if (documentId == null && persisted?.version !== 1) return badRequest('Only version 1 of `persistedQuery` is known');
  const hash = typeof given === 'string' ? given.replace(/^sha256:/, '').toLowerCase() : '';
  return SHA256.test(hash) ? hash : badRequest('The hash of a document is its SHA-256, in hexadecimal');
}

/** Apollo Server would ask its own store for the hash. */
function take(operation: GivenOperation, query: string): null {
  operation.query = query;
  delete operation.documentId;
  if (operation.extensions != null) {
    const { persistedQuery: _hash, ...others } = operation.extensions as Record<string, unknown>;
    operation.extensions = others;
  }
  return null;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const error = (message: string, code: string): GraphQLError => new GraphQLError(message, { extensions: { code } });
const badRequest = (message: string) => error(message, 'BAD_REQUEST');
const mismatch = () => badRequest('The hash is not that of the document');
const notPublished = () =>
  new GraphQLError('Only published documents are taken here', {
    extensions: { code: 'DOCUMENT_NOT_PUBLISHED', hint: 'Publish it with `weft documents publish`.' },
  });
/** Clients look for these two messages, and then send the text. */
const notFound = () => error('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND');
const notSupported = () => error('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED');
