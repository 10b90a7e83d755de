import pg from 'pg';

const RECONNECT_MS = 1_000;

/**
 * Calls `onNotification` for every NOTIFY of a channel, over a connection of its own that is made again when it breaks. What was
 * sent meanwhile is lost, so it is called once more after that, without a payload; `onLost` is told why.
 */
export function listenTo(
  databaseUrl: string,
  channel: string,
  { onNotification, onLost }: { onNotification: (payload?: string) => void; onLost: (error: unknown) => void },
): { close: () => Promise<void> } {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const connect = async () => {
    const own = new pg.Client({ connectionString: databaseUrl, application_name: 'weft-listener', keepAlive: true });
    client = own;
    own.on('error', lost(own));
    own.on('end', () => lost(own)(undefined));
    own.on('notification', ({ payload }) => onNotification(payload));
    try {
      await own.connect();
      await own.query(`LISTEN ${channel}`);
      onNotification();
    } catch (error) {
      lost(own)(error);
    }
  };
  const lost = (own: pg.Client) => (error: unknown) => {
    if (closed || client !== own) return;
    client = undefined;
    void disconnect(own);
    onLost(error);
    timer = setTimeout(() => void connect(), RECONNECT_MS);
  };
  void connect();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      if (client) await disconnect(client);
    },
  };
}

async function disconnect(client: pg.Client): Promise<void> {
  try {
    await client.end();
  } catch {
    // It was broken already.
  }
}
