import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UsageError } from '../usage-error.ts';

export type GivenDocument = { body: string; hash?: string };

const SHA256 = /^(?:sha256:)?[0-9a-f]{64}$/i;

/** The documents of files, of folders of `.graphql` files, and of manifests. */
export async function readDocuments(paths: readonly string[]): Promise<GivenDocument[]> {
  const found: GivenDocument[] = [];
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) {
      const names = (await readdir(path, { recursive: true })).filter((name) => /\.(graphql|gql)$/.test(name)).sort();
      for (const name of names) found.push({ body: await readFile(join(path, name), 'utf8') });
    } else {
      const text = await readFile(path, 'utf8');
      found.push(...(extname(path) === '.json' ? readManifest(text, path) : [{ body: text }]));
    }
  }
  if (found.length === 0) throw new UsageError('There are no documents', 'Name .graphql files, folders or manifests.');
  return found;
}

/** Apollo's `{"operations": [{"id", "body"}]}`, or `{"<hash>": "<text>"}` as others write it. */
function readManifest(text: string, path: string): GivenDocument[] {
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== 'object' || manifest === null) throw unreadable(path);
  const { operations } = manifest as { operations?: unknown };
  const pairs: [unknown, unknown][] = Array.isArray(operations)
    ? operations.map((one: { id?: unknown; body?: unknown }) => [one.id, one.body])
    : Object.entries(manifest);
  return pairs.map(([id, body]) => {
    if (typeof body !== 'string') throw unreadable(path);
    return typeof id === 'string' && SHA256.test(id) ? { body, hash: id } : { body };
  });
}

const unreadable = (path: string): UsageError =>
  new UsageError(
    `${path} is no manifest of documents`,
    'It needs `{"operations": [{"id": ..., "body": ...}]}`, or texts by their hash.',
  );
