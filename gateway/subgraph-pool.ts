import { Pool } from 'undici';

/** Connections to wherever a subgraph is now. */
export type SubgraphPool = {
  now: () => { url: URL; pool: Pool };
  close: () => Promise<void>;
};

const SOCKETS = 64;

/** When the subgraph has moved, what is under way ends where it began. */
export function openSubgraphPool(addressOf: () => URL): SubgraphPool {
  let url = addressOf();
  let pool = open(url);
  const closing = new Set<Promise<void>>();
  return {
    now() {
      const address = addressOf();
      if (address === url) return { url, pool };
      if (address.origin !== url.origin) {
        const ended = pool.close().finally(() => closing.delete(ended));
        closing.add(ended);
        pool = open(address);
      }
      url = address;
      return { url, pool };
    },
    close: async () => void (await Promise.all([pool.close(), ...closing])),
  };
}

const open = ({ origin }: URL): Pool => new Pool(origin, { connections: SOCKETS, keepAliveTimeout: 30_000 });
