import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { startApi } from '../api/start-api.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { loadSettings } from '../config/load.ts';
import { startGateway } from '../gateway/start-gateway.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { createTenantClients } from '../temporal/tenant-clients.ts';
import { createTestNamespace } from './namespaces.ts';
import { createTestDatabase, testTemporal } from './servers.ts';

type Answer = { data: any; errors?: any[] };
export type Doors = Awaited<ReturnType<typeof openDoors>>;

/** The runs API and the gateway before it, in this process, on a database and a Temporal namespace of their own. */
export async function openDoors(environment: Record<string, string> = {}) {
  const [database, namespace, line] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    openLine(testTemporal().address),
  ]);
  const settings = loadSettings({
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: line.address,
    TEMPORAL_UI_URL: testTemporal().uiUrl,
    TEMPORAL_NAMESPACE: namespace,
    PORT: '0',
    GATEWAY_PORT: '0',
    WEFT_AUTH: 'off',
    ...environment,
  });
  const log = pino({ level: 'silent' });
  const pool = createPool(settings.DATABASE_URL ?? '', 20);
  const connection = await connectTemporal(settings);
  const temporal = createTemporalClient(connection, settings, createPayloadStore(pool));
  const temporalOf = createTenantClients(connection, settings, createPayloadStore(pool));
  const api = await startApi({ settings, log, pool, connection, temporal, temporalOf });
  const apiUrl = `http://127.0.0.1:${api.port}`;
  const gateway = await startGateway({ ...settings, WORKFLOW_API_URL: `${apiUrl}/graphql` }, log);
  const gatewayUrl = `http://127.0.0.1:${gateway.port}`;
  return {
    settings: { ...settings, DATABASE_URL: database.url, TEMPORAL_ADDRESS: testTemporal().address },
    cutTemporal: line.cut,
    pool,
    pools: loadPools(settings),
    temporal,
    api,
    apiUrl,
    gatewayUrl,
    /** Of whoever made the database. */
    firstAdmin: api.firstAdmin,
    /** By the gateway, as the operator unless a token is given; with null as nobody. */
    ask: (query: string, variables?: Record<string, unknown>, token: string | null = settings.WEFT_OPERATOR_TOKEN) =>
      ask(gatewayUrl, query, variables, token),
    async close() {
      await gateway.stop();
      await api.stop();
      await connection.close();
      await pool.end();
      line.cut();
      await database.drop();
    },
  };
}

/** A way to a server that can be cut, as if the server were gone. */
async function openLine(address: string) {
  const [host, port] = address.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export async function ask(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  token: string | null = null,
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}
