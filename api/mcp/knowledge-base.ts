import { z } from 'zod';
import { readDocument, searchDocuments, upsertDocument } from '../../adapters/postgres/knowledge-document-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { answerOf, ownTool, type OwnTool } from './own-tool.ts';
import type { ToolsCaller } from './tools-caller.ts';

/** Postgres' text cannot hold NUL. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes('\0'), 'may not hold NUL');
const id = text(200).min(1);

const search = ownTool({
  name: 'search',
  description:
    'Finds documents by their words, the best first, with what of each fits. "phrases", or and -not are understood.',
  readOnly: true,
  input: z.strictObject({
    query: text(1_000).min(1),
    tags: z.array(text(100)).max(20).optional().describe('All of these.'),
    first: z.int().min(1).max(50).optional().describe('How many; default 10.'),
  }),
  run: async ({ pool, tenantId }: ToolsCaller, { query, tags = [], first = 10 }) =>
    answerOf({ results: await searchDocuments(pool, tenantId, { query, tags, first }) }),
});

const fetchDocument = ownTool({
  name: 'fetch',
  description: 'A whole document.',
  readOnly: true,
  input: z.strictObject({ id }),
  run: async ({ pool, tenantId }: ToolsCaller, input) => {
    const document = await readDocument(pool, tenantId, input.id);
    if (!document) throw new AppError('NOT_FOUND', { what: 'Document', id: input.id });
    return answerOf(document);
  },
});

const upsert = ownTool({
  name: 'upsert',
  description: 'Makes a document, or puts this in the place of the one with its id. The same again changes nothing.',
  idempotent: true,
  destructive: true,
  input: z.strictObject({
    id,
    title: text(1_000).min(1),
    body: text(500_000),
    source: text(2_000).nullish(),
    tags: z.array(text(100).min(1)).max(20).optional(),
    metadata: z.record(z.string(), z.json()).optional(),
  }),
  run: async ({ pool, tenantId }: ToolsCaller, { source = null, tags = [], metadata = {}, ...given }) => {
    const wanted = { ...given, source, tags, metadata: metadata as JsonObject };
    const { document, changed } = await upsertDocument(pool, tenantId, wanted);
    const { id: saved, revision, updatedAt } = document;
    return answerOf({ id: saved, revision, updatedAt, changed });
  },
});

export const KNOWLEDGE_BASE = {
  name: 'knowledge-base',
  instructions: 'Documents of this tenant: search first, fetch what fits, upsert what is new.',
  tools: [search, fetchDocument, upsert] as readonly OwnTool<ToolsCaller>[],
};
