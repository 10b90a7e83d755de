import { Client, Connection } from '@temporalio/client';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createDataConverter } from './data-converter.ts';
import { addWebhookLinks } from './webhook-links.ts';

type ConnectionSettings = Pick<Settings, 'TEMPORAL_ADDRESS' | 'TEMPORAL_API_KEY' | 'TEMPORAL_TLS'>;

export type TemporalAddress = { address: string; tls?: boolean; apiKey?: string };

export function connectionOptions(settings: ConnectionSettings): TemporalAddress {
  return {
    address: settings.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
    ...(settings.TEMPORAL_TLS ? { tls: true } : {}),
    ...(settings.TEMPORAL_API_KEY === null ? {} : { apiKey: settings.TEMPORAL_API_KEY }),
  };
}

/** @throws AppError TEMPORAL_UNAVAILABLE */
export async function connectTemporal(settings: ConnectionSettings): Promise<Connection> {
  const options = connectionOptions(settings);
  try {
    return await Connection.connect(options);
  } catch (error) {
    throw new AppError('TEMPORAL_UNAVAILABLE', { detail: `${options.address}: ${(error as Error).message}` }, error);
  }
}

export function createTemporalClient(connection: Connection, settings: Settings, store: PayloadStore): Client {
  return new Client({
    connection,
    namespace: settings.TEMPORAL_NAMESPACE,
    dataConverter: createDataConverter(settings, store),
    interceptors: { workflow: [addWebhookLinks(settings)] },
  });
}
