import { createHash } from 'node:crypto';
import { type DocumentNode, Kind, OperationTypeNode, parse } from 'graphql';
import {
  deleteOperationDocument,
  type OperationDocument,
  saveOperationDocuments,
} from '../../adapters/postgres/operation-document-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from '../runs/deps.ts';

type Pool = RunsDeps['pool'];
export type GivenDocument = { body: string; hash?: string | null };
export type PublishedDocuments = { added: number; documents: Pick<OperationDocument, 'hash' | 'name' | 'kind'>[] };

const MOST_DOCUMENTS = 1_000;
const MOST_CHARACTERS = 200_000;
const MOST_TOKENS = 50_000;

/** All or none; what is there already stays as it is. @throws INPUT_INVALID */
export async function publishOperationDocuments(
  pool: Pool,
  { tenantId, subject }: Principal,
  given: readonly GivenDocument[],
): Promise<PublishedDocuments> {
  if (given.length > MOST_DOCUMENTS) throw argumentInvalid('documents', `may be ${MOST_DOCUMENTS} at most`);
  const read = given.map((document, index) => readDocument(document, `documents/${index}`));
  const documents = [...new Map(read.map((one) => [one.hash, one])).values()];
  const added = await saveOperationDocuments(pool, tenantId, subject, documents);
  return { added, documents };
}

/** @throws NOT_FOUND */
export async function removeOperationDocument(pool: Pool, { tenantId }: Principal, hash: string): Promise<boolean> {
  if (await deleteOperationDocument(pool, tenantId, hash.replaceAll('\0', ''))) return true;
  throw new AppError('NOT_FOUND', { what: 'document', id: hash });
}

function readDocument({ body, hash }: GivenDocument, place: string) {
  if (body.length > MOST_CHARACTERS || body.includes('\0')) throw argumentInvalid(`${place}/body`, 'is too long');
  const actual = createHash('sha256').update(body).digest('hex');
  if (hash != null && hash.replace(/^sha256:/, '').toLowerCase() !== actual)
    throw argumentInvalid(`${place}/hash`, `must be the SHA-256 of the document, ${actual}`);
  const operations = parsed(body, place).definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (operation === undefined) throw argumentInvalid(`${place}/body`, 'must have an operation');
  const changes = operations.find((one) => one.operation !== OperationTypeNode.QUERY);
  return { hash: actual, name: operation.name?.value ?? null, kind: (changes ?? operation).operation, body };
}

function parsed(body: string, place: string): DocumentNode {
  try {
    return parse(body, { maxTokens: MOST_TOKENS, noLocation: true });
  } catch (error) {
    throw argumentInvalid(`${place}/body`, `must be a GraphQL document: ${(error as Error).message}`);
  }
}
