import type { Server } from 'node:http';
import type { Express } from 'express';
import { watchEventHeads } from '../../adapters/postgres/event-heads.ts';
import { asRequest } from '../access/as-request.ts';
import type { Access } from '../access/open-access.ts';
import type { Principal } from '../access/principal.ts';

import type { RunsDeps } from '../runs/deps.ts';
import type { TenantDeps } from '../runs/tenant-deps.ts';
import { changesRoute } from './changes-route.ts';
import { eventRoutes } from './event-routes.ts';
import { openEventSockets } from './event-socket.ts';

export type EventDoors = {
  /** Sees every tenant. */
  pool: RunsDeps['pool'];
  tenants: TenantDeps;
  access: Pick<Access, 'atTheDoor' | 'internal'>;
  log: { warn: (fields: object, message: string) => void; error: (fields: object, message: string) => void };
};

/** The doors by which other services follow events: server-sent events and a WebSocket. */
export function mountEvents(
  app: Express,
  server: Server,
  { pool, tenants, access, log }: EventDoors,
): { close: () => Promise<void> } {
  const heads = watchEventHeads(pool, {
    onError: (error) => log.warn({ err: error }, 'new events were not looked for'),
  });
  const door = {
    depsOf: (principal: Principal) => ({ pool: tenants.of(principal).pool, heads }),
    logInternal: (error: unknown) => log.error({ err: error }, 'following events failed'),
  };
  const stopping = new AbortController();
  app.use(changesRoute({ pool, access, logInternal: door.logInternal, stopping: stopping.signal }));
  app.use(eventRoutes({ ...door, stopping: stopping.signal, principalFrom: access.atTheDoor }));
  const sockets = openEventSockets({ ...door, principalFrom: (message) => access.atTheDoor(asRequest(message)) });
  sockets.attach(server);
  return {
    async close() {
      stopping.abort();
      sockets.close();
      await heads.close();
    },
  };
}
