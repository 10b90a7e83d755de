/** `node workers/collect-payloads.ts [--dry-run]`: one round, its result as a line of JSON on stdout. */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import { connectTemporal } from '../temporal/client.ts';
import { collectOnce } from './payload-collector.ts';

const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
const settings = loadSettings();
const log = pino({ name: 'collect-payloads', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL } = settings;
if (DATABASE_URL === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });
const pool = openDatabase({ ...settings, DATABASE_URL });
const connection = await connectTemporal(settings);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
try {
  const parts = { pool, connection, settings, log };
  const collected = await collectOnce(parts, { dryRun: values['dry-run'], signal: interrupted.signal });
  process.stdout.write(`${JSON.stringify(collected ?? { busy: true })}\n`);
} finally {
  await connection.close();
  await pool.end();
}
