import { pino } from 'pino';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { loadSettings } from '../config/load.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { createTenantClients } from '../temporal/tenant-clients.ts';
import { startApi } from './start-api.ts';

const settings = loadSettings();
const log = pino({ name: 'api', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL } = settings;
if (DATABASE_URL === null) {
  log.fatal('DATABASE_URL is not set; `npm start` brings a database of its own');
  process.exit(1);
}
const pool = openDatabase({ ...settings, DATABASE_URL });
const connection = await connectTemporal(settings);
const temporal = createTemporalClient(connection, settings, createPayloadStore(pool));
const temporalOf = createTenantClients(connection, settings, createPayloadStore(pool));
const api = await startApi({ settings, log, pool, connection, temporal, temporalOf });
log.info({ port: api.port, wanted: settings.PORT }, 'api is ready');
const { firstAdmin } = api;
if (firstAdmin) {
  const { name, oneTimePassword } = firstAdmin;
  const notice = `\n  First admin: ${name}\n  Password:    ${oneTimePassword}   (for one sign-in, shown this once: npm run weft -- login ${name})\n`;
  // Once, to whoever started it, and never to the log.
  if (process.send) process.send({ notice });
  else process.stdout.write(`${notice}\n`);
}
process.send?.({ ready: true, port: api.port });

let stopping = false;
async function stop(reason: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, 'api stops');
  await api.stop();
  await connection.close();
  await pool.end();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
process.on('disconnect', () => void stop('parent is gone'));
