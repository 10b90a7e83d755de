import { pino } from 'pino';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { rebuildProjections } from '../adapters/postgres/rebuild-projections.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';

const settings = loadSettings();
const log = pino({ name: 'rebuild-projections', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL } = settings;
if (DATABASE_URL === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });
const pool = openDatabase({ ...settings, DATABASE_URL });
const startedAt = performance.now();
const rebuilt = await rebuildProjections(pool);
if (rebuilt === null) log.warn('another process is building them again');
else log.info({ ...rebuilt, durationMs: Math.round(performance.now() - startedAt) }, 'projections are rebuilt');
await pool.end();
