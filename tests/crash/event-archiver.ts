/** `node tests/crash/event-archiver.ts DATABASE_URL FOLDER`: archives every closed run, one file a run, and ends. */
import { createFolderFiles } from '../../adapters/archive/folder-files.ts';
import { archiveEvents } from '../../adapters/postgres/archive-events.ts';
import { createPool } from '../../adapters/postgres/pool.ts';

const [databaseUrl = '', folder = ''] = process.argv.slice(2);
const archive = createFolderFiles(folder);
const pool = createPool(databaseUrl, 4, { cipher: null, bodies: null, writesTo: 'table', archive });
await archiveEvents(pool, { closedBefore: new Date(Date.now() + 60_000), runsAFile: 1 });
await pool.end();
