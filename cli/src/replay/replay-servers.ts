import type { Client } from '@temporalio/client';
import { readDefinitionByHash } from '../../../adapters/postgres/definition-store.ts';
import { tenantOfRun } from '../../../adapters/postgres/event-links.ts';
import { openDatabase, payloadStorage } from '../../../adapters/postgres/open-database.ts';
import { createPayloadStore } from '../../../adapters/postgres/payload-store.ts';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { AppError } from '../../../domain/errors.ts';
import { definitionHash } from '../../../domain/identifiers.ts';
import type { WorkflowDefinition } from '../../../domain/runs/definition.ts';
import type { PayloadCipher, PayloadStore } from '../../../domain/runs/payload-store.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { readChain } from '../../../temporal/read-chain.ts';
import { recordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import { createTenantClients } from '../../../temporal/tenant-clients.ts';
import { tenantNamespaces } from '../../../temporal/tenant-namespaces.ts';
import { findServers } from '../worker/find-servers.ts';

export type Database = ReturnType<typeof openDatabase>;

/** Where histories, and what they refer to, are looked up; null without servers. */
export type ReplayServers = {
  settings: Settings;
  cipher: PayloadCipher | null;
  store: PayloadStore | null;
  pool: Database | null;
  definition: (hash: string) => Promise<WorkflowDefinition | undefined>;
  /** Of the namespace of the run's tenant; of every one in use, the shared one first, for a run that nobody knows, and for none. */
  clients: (runId?: string) => Promise<Client[]>;
};

/** Files can be replayed without any server; whatever else is asked for then fails with how to name one. */
export async function withServers<Result>(work: (servers: ReplayServers) => Promise<Result>): Promise<Result> {
  const found = await findServers().catch(() => null);
  const settings = found ?? loadSettings();
  const { DATABASE_URL } = settings;
  const pool = DATABASE_URL === null ? null : openDatabase({ ...settings, DATABASE_URL });
  const store = pool && createPayloadStore(pool);
  const { cipher } = payloadStorage(settings);
  let connection: Awaited<ReturnType<typeof connectTemporal>> | undefined;
  try {
    return await work({
      settings,
      cipher,
      store,
      pool,
      definition: async (hash) =>
        pool === null ? undefined : (await readDefinitionByHash(pool, definitionHash(hash)))?.definition,
      clients: async (runId) => {
        const tenant = pool === null || runId === undefined ? undefined : await tenantOfRun(pool, runId);
        connection ??= await connectTemporal(await findServers());
        const clientOf = createTenantClients(connection, settings, store ?? recordedPayloads({}, null, cipher));
        const tenants = tenant === undefined ? everyTenant(settings) : [tenant];
        return tenants.map(clientOf);
      },
    });
  } finally {
    await connection?.close();
    await pool?.end();
  }
}

/** One tenant for each namespace in use; no tenant has the empty name, which stands for the shared one. */
function everyTenant(settings: Settings): string[] {
  const { all, ownerOf } = tenantNamespaces(settings);
  return all.map((namespace) => ownerOf(namespace) ?? '');
}

/** The histories of a run's links, from the namespace that has them. @throws NOT_FOUND */
export async function chainOf(servers: ReplayServers, runId: string): ReturnType<typeof readChain> {
  for (const client of await servers.clients(runId)) {
    const chain = await ifThere(readChain(client, runId));
    if (chain !== null) return chain;
  }
  throw new AppError('NOT_FOUND', { what: 'The history of run', id: runId });
}

async function ifThere<Found>(looking: Promise<Found>): Promise<Found | null> {
  try {
    return await looking;
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
