import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readLastGood, sha256, writeLastGood } from './last-good-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-last-good-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const GOOD = {
  ...{ version: 3, supergraphSdl: 'type Query { a: Int }', hash: sha256('type Query { a: Int }') },
  ...{ addresses: { runs: 'http://127.0.0.1:1/graphql' }, savedAt: '2026-11-24T10:00:00.000Z' },
};

describe('the file of the last good graph', () => {
  it('gives back what was written last, and leaves nothing else behind', async () => {
    const path = join(folder, 'new', 'supergraph.json');
    expect(await readLastGood(path)).toBeNull();
    await Promise.all([1, 2, 3].map((version) => writeLastGood(path, { ...GOOD, version })));
    await writeLastGood(path, GOOD);
    expect(await readLastGood(path)).toEqual(GOOD);
    expect(await readdir(join(folder, 'new'))).toEqual(['supergraph.json']);
  });

  it('counts for nothing when it is cut short or changed', async () => {
    const path = join(folder, 'supergraph.json');
    const text = JSON.stringify(GOOD);
    for (const damaged of ['', text.slice(0, -10), text.replace('a: Int', 'b: Int'), 'null', '[]']) {
      await writeFile(path, damaged);
      expect(await readLastGood(path)).toBeNull();
    }
  });
});
