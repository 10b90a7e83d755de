import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

const folders: string[] = [];
async function newFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'weft-postgres-'));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const start = (dataDir: string, log: (line: string) => void = () => undefined, port = 0) =>
  startEmbeddedPostgres({ dataDir, port, log, settings: { shared_buffers: '16MB', fsync: 'off' } });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

const TIMEOUT_MS = 60_000;

describe('startEmbeddedPostgres', () => {
  it(
    'keeps data and password over a restart, the password readable by its owner alone',
    async () => {
      const folder = await newFolder();
      const first = await start(folder);
      await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await first.stop();
      const second = await start(folder);
      expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      await second.stop();
      expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
      expect(new URL(first.url).password).toBe(await readFile(join(folder, 'password'), 'utf8'));
    },
    TIMEOUT_MS,
  );

  it(
    'never makes a new cluster in place of one whose password is gone',
    async () => {
      const folder = await newFolder();
      await (await start(folder)).stop();
      await rm(join(folder, 'password'));
      await expect(start(folder)).rejects.toMatchObject({ code: 'SETUP_INCOMPLETE' });
      expect((await stat(join(folder, 'cluster/PG_VERSION'))).isFile()).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    'moves on from a busy port',
    async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      const server = await start(await newFolder(), () => undefined, port);
      expect(server.port).toBeGreaterThan(port);
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await server.stop();
      holder.close();
    },
    TIMEOUT_MS,
  );

  it(
    'takes over from a server whose starter and guard were killed',
    async () => {
      const folder = await newFolder();
      const module = new URL('embedded-postgres.ts', import.meta.url).href;
      const code = `import { startEmbeddedPostgres } from ${JSON.stringify(module)};
      const server = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(folder)}, port: 0, log() {} });
      console.log(server.pid); setInterval(() => {}, 1000);`;
      const starter = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
      const group = -Number(line);
      const postmaster = Number((await readFile(join(folder, 'cluster/postmaster.pid'), 'utf8')).split('\n', 1)[0]);
      // Stopped shells cannot pass on that their starter is gone; the server itself goes on.
      process.kill(group, 'SIGSTOP');
      process.kill(postmaster, 'SIGCONT');
      starter.kill('SIGKILL');
      await once(starter, 'exit');
      const lines: string[] = [];
      const server = await start(folder, (text) => lines.push(text));
      expect(lines).toContain(`stopped Postgres ${postmaster}, left by an earlier start`);
      expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await server.stop();
      process.kill(group, 'SIGKILL');
    },
    TIMEOUT_MS,
  );

  it(
    'starts below a folder that only root may enter',
    async () => {
      const folder = await newFolder(process.getuid?.() === 0 ? homedir() : tmpdir());
      const server = await start(folder);
      expect(await query(server.url, 'SELECT current_user AS me')).toEqual([{ me: 'postgres' }]);
      await server.stop();
    },
    TIMEOUT_MS,
  );
});
