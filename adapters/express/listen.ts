import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const PORTS_TRIED = 50;

/** Listens on `port` or, where that is taken, on the next free one; port 0 is any free one. Gives the port. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  for (let candidate = port; ; candidate += 1) {
    try {
      await listenOn(server, host, candidate);
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || port === 0 || candidate >= Math.min(port + PORTS_TRIED, 65535)) throw error;
    }
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
