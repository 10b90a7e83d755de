/** A process with the doors by which other services follow events, for tests that kill it. Arguments: database, port. */
import { createServer } from 'node:http';
import express from 'express';
import { watchEventHeads } from '../adapters/postgres/event-heads.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { LOCAL_PRINCIPAL } from '../api/access/principal.ts';
import { eventRoutes } from '../api/events/event-routes.ts';
import { openEventSockets } from '../api/events/event-socket.ts';
import { refuseOtherUpgrades } from '../api/http/refuse-upgrades.ts';

const [databaseUrl = '', port = '0'] = process.argv.slice(2);
const pool = createPool(databaseUrl, 4);
const logInternal = (error: unknown) => void process.stderr.write(`${String(error)}\n`);
const heads = watchEventHeads(pool, { onError: logInternal });
const door = {
  principalFrom: async () => LOCAL_PRINCIPAL,
  depsOf: () => ({ pool, heads }),
  logInternal,
  heartbeatMs: 200,
};
const server = createServer(express().use(eventRoutes(door)));
openEventSockets(door).attach(server);
refuseOtherUpgrades(server, [/^\/events\/socket$/]);
server.listen(Number(port), '127.0.0.1', () => process.send?.(server.address()));
