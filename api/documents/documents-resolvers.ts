import { listOperationDocuments } from '../../adapters/postgres/operation-document-store.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import { type GivenDocument, publishOperationDocuments, removeOperationDocument } from './document-operations.ts';

/** `poolOf` gives the database as the caller's tenant sees it. */
export function documentsResolvers(poolOf: (tenantId: string) => RunsDeps['pool']) {
  return {
    Query: {
      operationDocuments: (_: unknown, __: unknown, { principal }: RunsContext) =>
        listOperationDocuments(poolOf(principal.tenantId), principal.tenantId),
    },
    Mutation: {
      publishOperationDocuments: (
        _: unknown,
        { documents }: { documents: readonly GivenDocument[] },
        { principal }: RunsContext,
      ) => publishOperationDocuments(poolOf(principal.tenantId), principal, documents),
      removeOperationDocument: (_: unknown, { hash }: { hash: string }, { principal }: RunsContext) =>
        removeOperationDocument(poolOf(principal.tenantId), principal, hash),
    },
    types: {
      OperationKind: { QUERY: 'query', MUTATION: 'mutation', SUBSCRIPTION: 'subscription' },
    },
  };
}
