import type { Express } from 'express';
import type { Logger } from 'pino';
import { createInternalTokens, type Identity } from '../adapters/tokens/internal-token.ts';
import type { Settings } from '../config/settings.ts';
import type { GraphSource } from './registry/graph-state.ts';
import { createSubgraphHealth } from './subgraph-health.ts';

const VERSION = '0.1.0';
/** The gateway asks for itself. */
const NOBODY: Identity = {
  ...{ tenantId: 'default', subject: null, userId: null, kind: 'NOBODY', roles: [], permissions: [] },
  ...{ sessionId: null, keyId: null, mustChangePassword: false, address: null },
};

type Parts = {
  settings: Settings;
  source: GraphSource;
  names: () => readonly string[];
  log: Logger;
};

/** Which subgraphs answer, and which graph is served: 200 when all do, 206 when some do, 503 when none does. */
export function mountHealth(app: Express, { settings, source, names, log }: Parts): void {
  const tokens = settings.WEFT_AUTH === 'off' ? null : createInternalTokens(settings.WEFT_SECRET_KEY);
  const sign = tokens === null ? undefined : (name: string) => tokens.sign(NOBODY, `subgraph:${name}`);
  const subgraphs = createSubgraphHealth({ names, addressOf: source.first.addressOf, sign, log });
  app.get('/health/detailed', async (_request, response) => {
    const states = await subgraphs.read();
    const up = Object.values(states).filter(({ status }) => status === 'healthy').length;
    const down = Object.keys(states).length - up;
    const [code, status] = down === 0 ? [200, 'healthy'] : up > 0 ? [206, 'degraded'] : [503, 'unhealthy'];
    response.status(Number(code)).json({
      status,
      timestamp: new Date(),
      version: VERSION,
      uptime_seconds: Math.floor(process.uptime()),
      subgraphs: states,
      schema: source.state(),
    });
  });
}
