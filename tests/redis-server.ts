import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export type TestRedis = {
  url: string;
  client: Redis;
  kill: () => Promise<void>;
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

/** A real redis-server that writes every command to its log before it answers; installed by apt where there is none. */
export async function startRedis(): Promise<TestRedis> {
  const binary = redisBinary();
  const folder = await mkdtemp(join(tmpdir(), 'weft-redis-'));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => undefined);
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    server = spawn(binary, [...options, '--appendonly', 'yes', '--appendfsync', 'always'], { stdio: 'ignore' });
    if (client.status === 'wait') await client.connect().catch(() => undefined);
    while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(50);
  };
  const kill = async () => {
    if (server?.exitCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    start,
    kill,
    async stop() {
      client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function redisBinary(): string {
  const found = () => {
    try {
      return execFileSync('which', ['redis-server'], { encoding: 'utf8' }).trim();
    } catch {
      return null;
    }
  };
  const there = found();
  if (there !== null) return there;
  const install = (...words: string[]) =>
    execFileSync('apt-get', words, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    install('install', '-y', '--no-install-recommends', 'redis-server');
  } catch {
    install('update');
    install('install', '-y', '--no-install-recommends', 'redis-server');
  }
  const installed = found();
  if (installed === null)
    throw new Error('redis-server is not there and could not be installed: apt-get install redis-server');
  return installed;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
