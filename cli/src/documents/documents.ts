import type { DocumentsOptions } from '../documents-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { readDocuments } from './read-documents.ts';

type Published = { hash: string; name: string | null; kind: string };
type Listed = Published & { publishedBy: string | null; publishedAt: string };

const PUBLISH = `mutation ($documents: [OperationDocumentInput!]!) {
  publishOperationDocuments(documents: $documents) { added documents { hash name kind } } }`;
const LIST = '{ operationDocuments { hash name kind publishedBy publishedAt } }';
const REMOVE = 'mutation ($hash: String!) { removeOperationDocument(hash: $hash) }';

export async function publishDocuments(paths: readonly string[], { url, json }: DocumentsOptions): Promise<number> {
  const documents = await readDocuments(paths);
  type Answer = { publishOperationDocuments: { added: number; documents: Published[] } };
  const { publishOperationDocuments: answer } = await createGatewayClient(url)<Answer>(PUBLISH, { documents });
  if (json) printJson(answer);
  else {
    printRows(answer.documents.map(({ hash, name, kind }) => [hash, kind.toLowerCase(), name ?? '-']));
    process.stdout.write(`${answer.added} new of ${answer.documents.length}\n`);
  }
  return 0;
}

export async function listDocuments({ url, json }: DocumentsOptions): Promise<number> {
  const { operationDocuments } = await createGatewayClient(url)<{ operationDocuments: Listed[] }>(LIST);
  if (json) printJson(operationDocuments);
  else {
    const rows = operationDocuments.map(({ hash, name, kind, publishedBy, publishedAt }) => [
      ...[hash, kind.toLowerCase(), name ?? '-', publishedAt, publishedBy ?? '-'],
    ]);
    printRows([['HASH', 'KIND', 'NAME', 'PUBLISHED', 'BY'], ...rows]);
  }
  return 0;
}

export async function removeDocument(hash: string, { url, json }: DocumentsOptions): Promise<number> {
  await createGatewayClient(url)(REMOVE, { hash: hash.replace(/^sha256:/, '') });
  if (json) printJson({ removed: hash });
  else process.stdout.write(`removed ${hash}\n`);
  return 0;
}
