import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createGatewayClient, GatewayError } from './gateway-client.ts';

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

describe('what the gateway refuses', () => {
  it('is said with every problem, and not twice', () => {
    const invalid = new GatewayError([
      {
        message: 'The definition has 2 problem(s)',
        extensions: {
          code: 'DEFINITION_INVALID',
          hint: 'Every problem is listed in `problems`.',
          problems: [
            { code: 'QUEUE_UNKNOWN', path: '/nodes/0/taskQueue', message: 'No pool has queue gpu', hint: 'Use runs.' },
            { code: 'GRAPH_CYCLE', path: '', message: 'a leads to itself', hint: null },
          ],
        },
      },
    ]);
    expect(invalid.message.split('\n')).toEqual([
      'The definition has 2 problem(s)',
      '  QUEUE_UNKNOWN No pool has queue gpu [/nodes/0/taskQueue] (Use runs.)',
      '  GRAPH_CYCLE a leads to itself',
    ]);
    expect(invalid.hint).toBeNull();
    const paths = [{ path: '/n', message: 'must be integer' }];
    const input = { code: 'INPUT_INVALID', hint: 'Each bad path is listed in `paths`.', paths };
    const message = 'The input is not valid: /n must be integer';
    expect(new GatewayError([{ message, extensions: input }])).toMatchObject({ message, hint: null });
  });
});
