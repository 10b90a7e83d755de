import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createGatewayClient } from './gateway-client.ts';

describe('a gateway that cannot be asked', () => {
  it('is named with its address and what to do, also where something else answers', async () => {
    const server = createServer((_, response) => response.writeHead(502).end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    await expect(createGatewayClient(url)('{ a }')).rejects.toMatchObject({
      message: `${url} does not speak GraphQL: it answered 502`,
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(createGatewayClient(url)('{ a }')).rejects.toMatchObject({
      message: `Nothing answers at ${url} (ECONNREFUSED)`,
      hint: expect.stringContaining('npm start'),
    });
  });
});
