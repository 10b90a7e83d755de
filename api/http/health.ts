import type { Express } from 'express';
import type { createPool } from '../../adapters/postgres/pool.ts';
import { type Checks, readiness } from './readiness.ts';

const VERSION = '0.1.0';

/** What the service stands on, in full; the short answers are those of every service. */
export function mountHealth(
  app: Express,
  { checks, pool }: { checks: Checks; pool: ReturnType<typeof createPool> },
): void {
  app.get(['/health/detailed', '/api/v1/health/detailed'], async (_request, response) => {
    const { ready, checks: states } = await readiness(checks);
    response.status(ready ? 200 : 503).json({
      status: ready ? 'healthy' : 'unhealthy',
      timestamp: new Date(),
      version: VERSION,
      uptime_seconds: Math.floor(process.uptime()),
      system_info: { memory_usage_kb: Math.round(process.memoryUsage.rss() / 1024), node_version: process.version },
      dependencies: {
        database: {
          status: states['postgres'],
          pool_state: { size: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount },
        },
        temporal: { status: states['temporal'] },
      },
    });
  });
  app.get('/api/v1/health', (_request, response) => response.redirect(308, '/health'));
}
