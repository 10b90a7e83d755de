import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import type { ArchiveFiles } from './archive-files.ts';

/** In a folder, under the names as paths. */
export function createFolderFiles(folder: string): ArchiveFiles {
  const call = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const detail = `${what}: ${(error as Error).message}`;
      throw new AppError('PAYLOAD_STORE_UNAVAILABLE', { location: folder, detail }, error);
    }
  };
  return {
    location: folder,
    write: (name, bytes) =>
      call('write', async () => {
        const path = join(folder, name);
        await mkdir(dirname(path), { recursive: true });
        await writeThrough(`${path}.part`, bytes);
        await rename(`${path}.part`, path);
        await flush(dirname(path));
      }),
    read: (name, start, bytes) =>
      call('read', async () => {
        const file = await open(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw error;
        });
        if (!file) return undefined;
        try {
          const buffer = Buffer.alloc(bytes);
          const { bytesRead } = await file.read(buffer, 0, bytes, start);
          return buffer.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      }),
    remove: (name) => call('remove', () => rm(join(folder, name), { force: true })),
  };
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The name of a file is in its folder, which has to reach the disk too. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
