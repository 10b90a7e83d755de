import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHttpClient, type HttpClientOptions } from './http-client.ts';
import type { Resolve } from './resolve-host.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const never = () => new AbortController().signal;
const clientOf = (options: Partial<HttpClientOptions> = {}) =>
  createHttpClient({ allowedHosts: [], maxResponseBytes: 1_000_000, ...options });
const local = (port: number, options: Partial<HttpClientOptions> = {}) =>
  clientOf({ allowedHosts: [`127.0.0.1:${port}`], ...options });
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A resolver that gives these addresses for any name. */
const answering =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: 4 })));

const unknownName: Resolve = () =>
  Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));

const bytes = (count: number) => Buffer.alloc(count, 'a');

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

describe('addresses', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://0/',
    'http://localhost/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fe80::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://①②⑦.⓪.⓪.①/',
  ])('refuses %s', async (url) => {
    await expect(clientOf().send({ url }, never())).rejects.toEqual(code('HTTP_ADDRESS_DENIED'));
  });

  it.each([
    'file:///etc/passwd',
    'ftp://example.com',
    'gopher://example.com',
    'http://u:p@example.com/',
    '/relative',
    '',
  ])('refuses %j as no address to call', async (url) => {
    await expect(clientOf().send({ url }, never())).rejects.toEqual(code('HTTP_REQUEST_INVALID'));
  });

  it('refuses a public name with a private address among its addresses', async () => {
    const resolve = answering('93.184.216.34', '10.0.0.7');
    await expect(clientOf({ resolve }).send({ url: 'https://rebind.example/' }, never())).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_DENIED',
      fields: { host: 'rebind.example', address: '10.0.0.7' },
    });
  });
});

describe('pinning', () => {
  it('connects to the address it checked although the name now means another, and still says the name', async () => {
    const seen: (string | undefined)[] = [];
    const port = await serve((request, response) => {
      seen.push(request.headers.host);
      response.end('checked');
    });
    const answers = [[{ address: '127.0.0.1', family: 4 }], [{ address: '10.255.255.1', family: 4 }]];
    let asked = 0;
    const resolve = async () => answers[asked++]!;
    const allowedHosts = ['rebind.example'];
    const response = await clientOf({ allowedHosts, resolve }).send({ url: `http://rebind.example:${port}/` }, never());
    expect(response.body).toBe('checked');
    expect(seen).toEqual([`rebind.example:${port}`]);
    expect(asked).toBe(1);
  });

  it('says the name, not the address, in the TLS handshake', async () => {
    const name = Promise.withResolvers<string>();
    const server = createTlsServer({
      SNICallback: (servername, done) => {
        name.resolve(servername);
        done(new Error('no certificate here'));
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const resolve = answering('127.0.0.1');
    const client = clientOf({ allowedHosts: ['named.example'], resolve });
    await expect(client.send({ url: `https://named.example:${port}/` }, never())).rejects.toEqual(
      code('HTTP_UNAVAILABLE'),
    );
    expect(await name.promise).toBe('named.example');
    server.close();
  });

  it('checks a redirect again', async () => {
    let reached = false;
    const inner = await serve((_, response) => {
      reached = true;
      response.end('secret');
    });
    const port = await serve((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${inner}/` }).end(),
    );
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).rejects.toEqual(
      code('HTTP_ADDRESS_DENIED'),
    );
    expect(reached).toBe(false);
  });

  it('resolves each redirect anew, so that a name turned private is refused', async () => {
    const port = await serve((_, response) => response.writeHead(302, { location: 'http://later.example/' }).end());
    const resolve: Resolve = (name) => answering(name === 'later.example' ? '192.168.0.1' : '127.0.0.1')(name);
    const client = clientOf({ allowedHosts: ['first.example'], resolve });
    await expect(client.send({ url: `http://first.example:${port}/` }, never())).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_DENIED',
      fields: { host: 'later.example' },
    });
  });
});

describe('an exchange', () => {
  it('sends JSON and reads JSON', async () => {
    const port = await serve(async (request, response) => {
      const { method, url, headers } = request;
      response.setHeader('content-type', 'application/problem+json; charset=utf-8');
      response.end(JSON.stringify({ method, url, type: headers['content-type'], text: await textOf(request) }));
    });
    const url = `http://127.0.0.1:${port}/orders?x=1`;
    const response = await local(port).send({ method: 'PUT', url, body: { amount: 3 } }, never());
    expect(response).toMatchObject({
      status: 200,
      url,
      body: { method: 'PUT', url: '/orders?x=1', type: 'application/json', text: '{"amount":3}' },
    });
  });

  it('sends text as it is and gives text back, whatever the status', async () => {
    const port = await serve(async (request, response) => {
      response.writeHead(418, { 'content-type': 'text/plain' }).end(await textOf(request));
    });
    const response = await local(port).send(
      { method: 'POST', url: `http://127.0.0.1:${port}/`, body: 'ünder' },
      never(),
    );
    expect(response).toMatchObject({ status: 418, body: 'ünder' });
  });

  it('follows redirects, and drops the authorization at another origin', async () => {
    const seen: (string | undefined)[] = [];
    const target = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('here');
    });
    const port = await serve((request, response) => {
      seen.push(request.headers.authorization);
      const location = request.url === '/' ? '/second' : `http://127.0.0.1:${target}/third`;
      response.writeHead(307, { location }).end('moved');
    });
    const client = clientOf({ allowedHosts: ['127.0.0.1'] });
    const headers = { Authorization: 'Bearer x' };
    const response = await client.send({ url: `http://127.0.0.1:${port}/`, headers }, never());
    expect(response).toMatchObject({ body: 'here', url: `http://127.0.0.1:${target}/third` });
    expect(seen).toEqual(['Bearer x', 'Bearer x', undefined]);
  });

  it('gives up after five redirects', async () => {
    let asked = 0;
    const port = await serve((_, response) => response.writeHead(302, { location: `/${(asked += 1)}` }).end());
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).rejects.toEqual(
      code('HTTP_REQUEST_INVALID'),
    );
    expect(asked).toBe(6);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('reads %s', async (encoding, compress) => {
    const port = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(compress('light')),
    );
    expect((await local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).body).toBe('light');
  });

  it.each([
    ['a header with a line break', { headers: { a: 'b\r\nc: d' } }],
    ['a body with GET', { body: 'x' }],
    ['an unknown method', { method: 'TRACE' as 'GET' }],
    ['a timeout below 1', { timeoutMs: 0 }],
    ['a limit that is no number', { maxResponseBytes: Number.NaN }],
  ])('refuses %s', async (_, input) => {
    await expect(clientOf().send({ url: 'http://127.0.0.1/', ...input }, never())).rejects.toEqual(
      code('HTTP_REQUEST_INVALID'),
    );
  });
});

describe('limits', () => {
  it('stops reading at the limit, announced or not', async () => {
    let written = 0;
    const port = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('content-length', 50_000_000);
      const timer = setInterval(() => {
        written += 100_000;
        response.write(bytes(100_000));
      }, 1);
      response.on('close', () => clearInterval(timer));
    });
    for (const path of ['/announced', '/endless']) {
      const url = `http://127.0.0.1:${port}${path}`;
      await expect(local(port).send({ url, maxResponseBytes: 300_000 }, never())).rejects.toEqual(
        code('HTTP_RESPONSE_TOO_LARGE'),
      );
    }
    expect(written).toBeLessThan(50_000_000);
  });

  it('counts what unfolds, so that a bomb does not go off', async () => {
    const bomb = gzipSync(gzipSync(bytes(30_000_000)));
    expect(bomb.length).toBeLessThan(10_000);
    const port = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bomb));
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).rejects.toEqual(
      code('HTTP_RESPONSE_TOO_LARGE'),
    );
  });

  it('lets no request ask for more than the settings grant', async () => {
    const port = await serve((_, response) => response.end(bytes(2_000)));
    const client = local(port, { maxResponseBytes: 1_000 });
    await expect(
      client.send({ url: `http://127.0.0.1:${port}/`, maxResponseBytes: 10_000 }, never()),
    ).rejects.toMatchObject({ code: 'HTTP_RESPONSE_TOO_LARGE', fields: { limitBytes: 1_000 } });
  });

  it('takes a body of exactly the limit', async () => {
    const port = await serve((_, response) => response.end(bytes(1_000)));
    const response = await local(port).send({ url: `http://127.0.0.1:${port}/`, maxResponseBytes: 1_000 }, never());
    expect(response.body).toHaveLength(1_000);
  });

  it('ends the whole exchange at its timeout, also in the middle of a body', async () => {
    const port = await serve((_, response) => void response.write('begun'));
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/`, timeoutMs: 50 }, never())).rejects.toMatchObject({
      code: 'HTTP_UNAVAILABLE',
      message: expect.stringContaining('within 50 ms'),
    });
  });
});

describe('failures', () => {
  it('may be retried when nobody listens', async () => {
    const port = await serve(() => {});
    const server = servers.pop()!;
    await new Promise((resolve) => server.close(resolve));
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/?key=secret` }, never())).rejects.toMatchObject({
      code: 'HTTP_UNAVAILABLE',
      message: expect.not.stringContaining('secret'),
    });
  });

  it('may be retried when the name is unknown or the connection breaks off', async () => {
    await expect(clientOf({ resolve: unknownName }).send({ url: 'http://gone.example/' }, never())).rejects.toEqual(
      code('HTTP_UNAVAILABLE'),
    );
    const port = await serve((request) => request.socket.destroy());
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).rejects.toEqual(
      code('HTTP_UNAVAILABLE'),
    );
  });

  it('may be retried when JSON is promised and not kept', async () => {
    const port = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":'),
    );
    await expect(local(port).send({ url: `http://127.0.0.1:${port}/` }, never())).rejects.toEqual(
      code('HTTP_UNAVAILABLE'),
    );
  });

  it('cancellation closes the socket', async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const port = await serve((request) => {
      request.socket.on('close', () => closed.resolve());
      arrived.resolve();
    });
    const cancelling = new AbortController();
    const exchange = local(port).send({ url: `http://127.0.0.1:${port}/` }, cancelling.signal);
    await arrived.promise;
    cancelling.abort(new Error('cancelled'));
    await expect(exchange).rejects.toThrow('cancelled');
    await closed.promise;
  });

  it('cancellation does not wait for the resolver', async () => {
    const cancelling = new AbortController();
    const exchange = clientOf({ resolve: () => new Promise(() => {}) }).send(
      { url: 'http://slow.example/' },
      cancelling.signal,
    );
    cancelling.abort(new Error('cancelled'));
    await expect(exchange).rejects.toThrow('cancelled');
  });
});
