import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../../adapters/embedded/stale-process.ts';

const MARK = 'main.ts start';

/** Lets one `weft start` at a time use a data folder. Throws when another one does. */
export async function takeStartLock(dataDir: string): Promise<() => void> {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'start.lock');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(readHolder(file));
    if (holder > 0 && (await isRunning(holder, MARK))) {
      throw new Error(`Weft already runs here as process ${holder} (${dataDir}); stop it with: kill ${holder}`);
    }
    rmSync(file, { force: true });
  }
  throw new Error(`${file} could not be taken; run the command again`);
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
