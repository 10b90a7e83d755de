import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export type Listener = { close(): Promise<void> };
export type ListenerOptions = {
  databaseUrl: string;
  channel: string;
  onNotification: (payload: string) => void;
  /** Listening has begun, or begun again: what was said meanwhile is lost. */
  onListening: () => void;
  onError: (error: unknown) => void;
};

const RETRY_MS = 500;

/** Hears NOTIFY on a connection of its own, and makes a new one whenever that breaks. */
export function openListener(options: ListenerOptions): Listener {
  const closing = new AbortController();
  let current: pg.Client | undefined;
  const listen = async () => {
    const { databaseUrl, channel, onNotification, onListening, onError } = options;
    while (!closing.signal.aborted) {
      const client = new pg.Client({
        connectionString: databaseUrl,
        application_name: 'weft-listener',
        keepAlive: true,
      });
      const ended = new Promise<void>((resolve) => {
        client.on('error', (error) => {
          if (!closing.signal.aborted) onError(error);
          resolve();
        });
        client.on('end', () => resolve());
      });
      client.on('notification', ({ payload = '' }) => onNotification(payload));
      try {
        await client.connect();
        current = client;
        await client.query(`LISTEN ${channel}`);
        if (closing.signal.aborted) break;
        onListening();
        await ended;
      } catch (error) {
        if (!closing.signal.aborted) onError(error);
      }
      current = undefined;
      await client.end().catch(() => undefined);
      await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  const listening = listen();
  return {
    async close() {
      closing.abort();
      await current?.end().catch(() => undefined);
      await listening;
    },
  };
}
