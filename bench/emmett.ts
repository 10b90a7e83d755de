import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { loadSettings } from '../config/load.ts';

const SOURCE = join(import.meta.dirname, 'peers/emmett');
const FOLDER = resolve(loadSettings().WEFT_DATA_DIR, 'bench-peers/emmett');
const INSTALL_MS = 300_000;

export type Emmett = { round(): Promise<number>; stop(): void };

/** Emmett's event store in a process of its own, on the database at this address. Null, with the reason on stderr, where it is not to be had. */
export async function startEmmett(databaseUrl: string, batch: number, batches: number): Promise<Emmett | null> {
  try {
    cpSync(SOURCE, FOLDER, { recursive: true });
    if (!existsSync(join(FOLDER, 'node_modules'))) {
      const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
      await promisify(execFile)('npm', install, { cwd: FOLDER, timeout: INSTALL_MS });
    }
    const child = spawn(process.execPath, ['append.mjs'], {
      cwd: FOLDER,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        BENCH_DATABASE_URL: databaseUrl,
        BENCH_BATCH: String(batch),
        BENCH_BATCHES: String(batches),
      },
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error('it ended');
      return String(value);
    };
    await next();
    return {
      async round() {
        child.stdin.write('\n');
        return Number(await next());
      },
      stop: () => void child.kill(),
    };
  } catch (error) {
    process.stderr.write(`Emmett is not compared: ${(error as Error).message}\n`);
    return null;
  }
}
