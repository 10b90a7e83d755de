import type { Client, Connection } from '@temporalio/client';
import type { Settings } from '../config/settings.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createTemporalClient } from './client.ts';
import { tenantNamespaces } from './tenant-namespaces.ts';

/** The client of the namespace where a tenant's runs are. */
export type ClientOf = (tenantId: string) => Client;

/** One client a namespace, all over the same connection. @throws AppError SETUP_INCOMPLETE */
export function createTenantClients(connection: Connection, settings: Settings, store: PayloadStore): ClientOf {
  const namespaces = tenantNamespaces(settings);
  const clients = new Map(
    namespaces.all.map((namespace) => [
      namespace,
      createTemporalClient(connection, { ...settings, TEMPORAL_NAMESPACE: namespace }, store),
    ]),
  );
  return (tenantId) => clients.get(namespaces.of(tenantId)) as Client;
}
