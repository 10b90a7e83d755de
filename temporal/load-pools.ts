import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import { builtInPools, extendPools, type PoolRow } from '../domain/runs/pools.ts';

type PoolSettings = Pick<
  Settings,
  'WEFT_POOLS_FILE' | 'WEFT_QUEUE_RUNS_CONCURRENCY' | 'WEFT_QUEUE_CONTENT_CONCURRENCY' | 'WEFT_QUEUE_MODELS_CONCURRENCY'
>;

/** The table of pools: the built-in ones and what WEFT_POOLS_FILE says. @throws AppError SETUP_INCOMPLETE */
export function loadPools(settings: PoolSettings): readonly PoolRow[] {
  const base = builtInPools({
    runs: settings.WEFT_QUEUE_RUNS_CONCURRENCY,
    content: settings.WEFT_QUEUE_CONTENT_CONCURRENCY,
    models: settings.WEFT_QUEUE_MODELS_CONCURRENCY,
  });
  const file = settings.WEFT_POOLS_FILE;
  if (file === null) return base;
  const { pools, problems } = extendPools(base, readJson(file));
  if (problems.length > 0) {
    throw new AppError('SETUP_INCOMPLETE', { detail: `WEFT_POOLS_FILE ${file}: ${problems.join('; ')}` });
  }
  return pools;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new AppError('SETUP_INCOMPLETE', { detail: `WEFT_POOLS_FILE ${file}: ${(error as Error).message}` }, error);
  }
}
