import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../../config/settings.ts';

/** The keys of the settings or, where there are none, one that is made once and kept in the data folder for its owner alone. */
export function secretKeys({ WEFT_SECRET_KEY: keys }: Pick<Settings, 'WEFT_SECRET_KEY'>, dataDir: string): string {
  if (keys.length > 0) return keys.join(',');
  const file = join(dataDir, 'secret-key');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dataDir, { recursive: true });
    const key = randomBytes(32).toString('hex');
    writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  }
}
