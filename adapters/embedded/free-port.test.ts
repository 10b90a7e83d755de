import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { findFreePort } from './free-port.ts';

describe('findFreePort', () => {
  it('moves on from a busy port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await findFreePort(port, new Set())).toBeGreaterThan(port);
    server.close();
    await once(server, 'close');
    expect(await findFreePort(port, new Set())).toBe(port);
  });

  it('moves on from a port given out before, although nothing listens yet', async () => {
    const taken = new Set<number>();
    const first = await findFreePort(0, taken);
    expect(await findFreePort(first, taken)).not.toBe(first);
    expect(taken.size).toBe(2);
  });
});
