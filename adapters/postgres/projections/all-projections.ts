import { AUDIT_TRAIL } from './audit-trail.ts';
import { MODEL_USAGE } from './model-usage.ts';
import { NODE_STATS } from './node-stats.ts';
import type { Projection } from './projection.ts';
import { RUN_SEARCH } from './run-search.ts';
import { SERVICE_HEALTH } from './service-health.ts';

/** Those that follow the events on their own. */
export const ALL_PROJECTIONS: readonly Projection[] = [
  RUN_SEARCH,
  NODE_STATS,
  MODEL_USAGE,
  SERVICE_HEALTH,
  AUDIT_TRAIL,
];
