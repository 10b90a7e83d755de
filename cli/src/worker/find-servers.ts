import { join, resolve } from 'node:path';
import { isRunning } from '../../../adapters/embedded/stale-process.ts';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { readRunFile } from '../run-file.ts';
import { secretKeys } from '../start/secret-key.ts';
import { ARCHIVE_FOLDER } from '../start/archive-folder.ts';

export type FoundSettings = Settings & { TEMPORAL_ADDRESS: string };

/** The settings, with the servers of a running `weft start` where they name none. */
export async function findServers(): Promise<FoundSettings> {
  const settings = loadSettings();
  const dataDir = resolve(settings.WEFT_DATA_DIR);
  const file = readRunFile(dataDir);
  const running = file?.pid !== undefined && (await isRunning(file.pid, 'main.ts start')) ? file : null;
  const address = settings.TEMPORAL_ADDRESS ?? running?.temporalAddress;
  if (address === undefined) {
    const hint = 'run npm start in another terminal, or set TEMPORAL_ADDRESS and DATABASE_URL';
    throw Object.assign(new Error('No Temporal server is known'), { code: 'TEMPORAL_UNAVAILABLE', hint });
  }
  return {
    ...settings,
    TEMPORAL_ADDRESS: address,
    DATABASE_URL: settings.DATABASE_URL ?? running?.databaseUrl ?? null,
    ...(running && settings.DATABASE_URL === null ? ownOf(settings, dataDir) : {}),
    TEMPORAL_NAMESPACE:
      settings.TEMPORAL_ADDRESS === null && running?.namespace ? running.namespace : settings.TEMPORAL_NAMESPACE,
  };
}

/** What `weft start` gives its services out of the data folder. */
function ownOf(settings: Settings, dataDir: string): Pick<Settings, 'WEFT_SECRET_KEY' | 'WEFT_ARCHIVE_FOLDER'> {
  return {
    WEFT_SECRET_KEY: secretKeys(settings, dataDir).split(','),
    WEFT_ARCHIVE_FOLDER: settings.WEFT_ARCHIVE_FOLDER ?? join(dataDir, ARCHIVE_FOLDER),
  };
}
