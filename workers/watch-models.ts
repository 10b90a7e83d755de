import { hostname } from 'node:os';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { BreakerChange } from '../activities/models/model-breakers.ts';
import { noteModelHealth } from '../adapters/postgres/model-health.ts';
import { createTokenPublisher } from '../adapters/postgres/token-publisher.ts';
import type { Settings } from '../config/settings.ts';

/** What others see of the models of this process: their tokens, and how they are doing. */
export function watchModels(
  database: pg.Pool,
  settings: Pick<Settings, 'WEFT_STREAM_FLUSH_MS' | 'WEFT_STREAM_RETENTION_MINUTES'>,
  log: Logger,
): { tokens: ReturnType<typeof createTokenPublisher>; onBreaker: (change: BreakerChange) => void } {
  const worker = `${hostname()}:${process.pid}`;
  return {
    tokens: createTokenPublisher(database, {
      flushMs: settings.WEFT_STREAM_FLUSH_MS,
      retentionMinutes: settings.WEFT_STREAM_RETENTION_MINUTES,
      onError: (error) => log.warn({ err: error }, 'tokens were not handed on'),
    }),
    onBreaker: (change) => {
      noteModelHealth(database, { worker, ...change }).catch((error: unknown) =>
        log.warn({ err: error }, 'the health of a model was not noted'),
      );
    },
  };
}
