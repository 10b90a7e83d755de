import type { Client } from '@temporalio/client';
import { readDefinitionByHash } from '../../../adapters/postgres/definition-store.ts';
import { openDatabase, payloadStorage } from '../../../adapters/postgres/open-database.ts';
import { createPayloadStore } from '../../../adapters/postgres/payload-store.ts';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { definitionHash } from '../../../domain/identifiers.ts';
import type { WorkflowDefinition } from '../../../domain/runs/definition.ts';
import type { PayloadCipher, PayloadStore } from '../../../domain/runs/payload-store.ts';
import { connectTemporal, createTemporalClient } from '../../../temporal/client.ts';
import { recordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import { findServers } from '../worker/find-servers.ts';

export type Database = ReturnType<typeof openDatabase>;

/** Where histories, and what they refer to, are looked up; null without servers. */
export type ReplayServers = {
  settings: Settings;
  cipher: PayloadCipher | null;
  store: PayloadStore | null;
  pool: Database | null;
  definition: (hash: string) => Promise<WorkflowDefinition | undefined>;
  temporal: () => Promise<Client>;
};

/** Files can be replayed without any server; whatever else is asked for then fails with how to name one. */
export async function withServers<Result>(work: (servers: ReplayServers) => Promise<Result>): Promise<Result> {
  const found = await findServers().catch(() => null);
  const settings = found ?? loadSettings();
  const { DATABASE_URL } = settings;
  const pool = DATABASE_URL === null ? null : openDatabase({ ...settings, DATABASE_URL });
  const store = pool && createPayloadStore(pool);
  const { cipher } = payloadStorage(settings);
  let client: Client | undefined;
  try {
    return await work({
      settings,
      cipher,
      store,
      pool,
      definition: async (hash) =>
        pool === null ? undefined : (await readDefinitionByHash(pool, definitionHash(hash)))?.definition,
      temporal: async () => {
        const connection = await connectTemporal(await findServers());
        client = createTemporalClient(connection, settings, store ?? recordedPayloads({}, null, cipher));
        return client;
      },
    });
  } finally {
    await client?.connection.close();
    await pool?.end();
  }
}
