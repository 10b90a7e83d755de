import type { Express } from 'express';
import type { createPool } from '../../adapters/postgres/pool.ts';
import type { Settings } from '../../config/settings.ts';
import { type Checks, readiness } from './readiness.ts';

const VERSION = '0.1.0';
const CAPABILITIES = ['workflow_management', 'event_store', 'mcp_protocol', 'graphql_subgraph', 'http_transport'];

/** What `/health` says of the service. */
export function aboutService({ WEFT_AUTH }: Pick<Settings, 'WEFT_AUTH'>) {
  const capabilities = WEFT_AUTH === 'off' ? CAPABILITIES : [...CAPABILITIES, 'jwt_authentication'];
  const environment = WEFT_AUTH === 'off' ? 'local' : 'shared';
  return {
    version: VERSION,
    uptime_seconds: Math.floor(process.uptime()),
    service_info: { name: 'weft-api', description: 'Durable AI workflows on Temporal', environment, capabilities },
  };
}

type Parts = { checks: Checks; pool: ReturnType<typeof createPool>; settings: Settings };

/** What the service stands on, in full; the short answers are those of every service. */
export function mountHealth(app: Express, { checks, pool, settings }: Parts): void {
  app.get(['/health/detailed', '/api/v1/health/detailed'], async (_request, response) => {
    const { ready, checks: states } = await readiness(checks);
    const about = aboutService(settings);
    response.status(ready ? 200 : 503).json({
      status: ready ? 'healthy' : 'unhealthy',
      timestamp: new Date(),
      ...about,
      uptime: about.uptime_seconds,
      system_info: {
        process_id: process.pid,
        memory_usage_kb: Math.round(process.memoryUsage.rss() / 1024),
        node_version: process.version,
        build_target: `${process.platform}-${process.arch}`,
      },
      dependencies: {
        database: {
          status: states['postgres'],
          last_checked: new Date(),
          pool_state: {
            size: pool.totalCount,
            idle: pool.idleCount,
            max_size: settings.CONNECTION_POOL_SIZE,
            waiting: pool.waitingCount,
          },
        },
        temporal: { status: states['temporal'] },
        external_services: {},
      },
    });
  });
  app.get('/api/v1/health', (_request, response) => response.redirect(308, '/health'));
}
