import type { IncomingMessage, Server } from 'node:http';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { openTokenHub } from '../../adapters/postgres/token-hub.ts';
import type { Settings } from '../../config/settings.ts';
import type { Access } from '../access/open-access.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { TenantDeps } from '../runs/tenant-deps.ts';
import { streamRoutes } from './stream-routes.ts';
import { asRequest, openStreamSockets } from './stream-socket.ts';
import type { WatchDeps } from './watch-tokens.ts';

export type TokenStreamParts = {
  deps: Pick<RunsDeps, 'pool' | 'runChanges'>;
  tenants: TenantDeps;
  access: Access;
  settings: Pick<Settings, 'DATABASE_URL'>;
  log: Logger;
};

/** The doors to what models say while they say it: server-sent events and WebSocket. */
export function mountTokenStreams(
  app: Express,
  server: Server,
  { deps, tenants, access, settings, log }: TokenStreamParts,
): { depsOf: (principal: Principal) => WatchDeps; close: () => Promise<void> } {
  const tokens = openTokenHub(deps.pool, String(settings.DATABASE_URL), (error) =>
    log.warn({ err: error }, 'the connection that hears of tokens was lost'),
  );
  const door = {
    depsOf: (principal: Principal) => ({ pool: tenants.of(principal).pool, tokens, runChanges: deps.runChanges }),
    logInternal: (error: unknown) => log.error({ err: error }, 'a stream of tokens failed'),
  };
  const stopping = new AbortController();
  app.use(streamRoutes({ ...door, stopping: stopping.signal, principalFrom: access.atTheDoor }));
  const sockets = openStreamSockets({
    ...door,
    principalFrom: (message: IncomingMessage) => access.atTheDoor(asRequest(message)),
  });
  sockets.attach(server);
  return {
    depsOf: door.depsOf,
    async close() {
      stopping.abort();
      sockets.close();
      await tokens.close();
    },
  };
}
