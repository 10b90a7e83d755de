import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

describe('the verbs about documents', () => {
  let doors: Doors;
  let folder: string;
  beforeAll(async () => {
    doors = await openDoors();
    folder = await mkdtemp(join(tmpdir(), 'weft-documents-'));
  }, 120_000);
  afterAll(async () => {
    await doors?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const weft = (...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      const all = ['cli/src/main.ts', 'documents', ...args, '--url', `${doors.gatewayUrl}/graphql`];
      execFile(process.execPath, all, { env: { ...process.env, NODE_OPTIONS: '' } }, (error, out) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out }),
      );
    });

  it('publish folders and manifests, list, and take back', async () => {
    const queries = join(folder, 'queries');
    await mkdir(join(queries, 'deep'), { recursive: true });
    await writeFile(join(queries, 'total.graphql'), 'query Total { runs { totalCount } }');
    await writeFile(join(queries, 'deep/me.gql'), 'query Me { me { name } }');
    await writeFile(join(queries, 'notes.txt'), 'not this');
    const manifest = join(folder, 'manifest.json');
    const operations = [{ id: 'of-a-client', name: 'Ids', body: 'query Ids { runs { edges { node { id } } } }' }];
    await writeFile(manifest, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }));
    const published = await weft('publish', queries, manifest);
    expect(published.code).toBe(0);
    expect(published.out).toContain('3 new of 3\n');
    expect((await weft('publish', queries)).out).toContain('0 new of 2\n');
    const listed = JSON.parse((await weft('list', '--json')).out) as { name: string; hash: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['Ids', 'Me', 'Total']);
    const hash = listed[2]?.hash ?? '';
    expect(await weft('remove', `sha256:${hash}`)).toEqual({ code: 0, out: `removed sha256:${hash}\n` });
    expect((await weft('remove', hash)).code).toBe(1);
    expect((await weft('list')).out).not.toContain('Total');
  }, 120_000);

  it('refuse what is no document', async () => {
    const wrong = join(folder, 'wrong.json');
    await writeFile(wrong, JSON.stringify({ ['0'.repeat(64)]: 'query Forged { me { name } }' }));
    expect((await weft('publish', wrong)).code).toBe(1);
    await writeFile(wrong, JSON.stringify({ operations: [{ id: 1 }] }));
    expect((await weft('publish', wrong)).code).toBe(2);
    await mkdir(join(folder, 'empty'));
    expect((await weft('publish', join(folder, 'empty'))).code).toBe(2);
    expect((await weft('list')).out).not.toContain('Forged');
  }, 120_000);
});
