import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export type LastGood = {
  version: number;
  hash: string;
  supergraphSdl: string;
  /** Where each subgraph was last. */
  addresses: Readonly<Record<string, string>>;
  savedAt: string;
};

/** Null when there is none, or it is damaged. */
export async function readLastGood(path: string): Promise<LastGood | null> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Partial<LastGood>;
    const { version, hash, supergraphSdl, addresses = {}, savedAt = '' } = read;
    if (typeof version !== 'number' || typeof supergraphSdl !== 'string' || hash !== sha256(supergraphSdl)) return null;
    return { version, hash, supergraphSdl, addresses, savedAt };
  } catch {
    return null;
  }
}

let writes = 0;

/** Whole, or not at all: a gateway that dies meanwhile leaves the file that was there. */
export async function writeLastGood(path: string, lastGood: LastGood): Promise<void> {
  const fresh = `${path}.${process.pid}-${(writes += 1)}`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(lastGood));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
