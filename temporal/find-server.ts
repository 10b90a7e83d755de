import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { AppError } from '../domain/errors.ts';

export const TEMPORAL_CLI_VERSION = 'v1.5.1';
const MODULE = 'github.com/temporalio/cli';
/**
 * The one that the CLI asks for, v1.34.1, keeps a connection on which a query was interrupted: under load the server then answers
 * "interrupted (9)" to everything until it is started again.
 */
const SQLITE = 'modernc.org/sqlite v1.62.0';
const GO_MOD = `module weft/temporal

require (
\t${MODULE} ${TEMPORAL_CLI_VERSION}
\t${SQLITE}
)
`;
const INSTALL_HINT =
  'No Temporal server was found and none could be installed: install the Temporal CLI (https://docs.temporal.io/cli), or Go, or set TEMPORAL_ADDRESS.';

export type FindServerOptions = {
  /** Base of the user's caches; default ~/.cache. */
  cacheHome: string | null;
  /** Called with one short line whenever there is something to tell. */
  onProgress: (line: string) => void;
  /** Gives up a download or a build. */
  signal?: AbortSignal;
};

const run = promisify(execFile);

/** A `temporal` binary: on PATH, in the cache, downloaded by the SDK, or built by Go; in that order. */
export async function findTemporalServer(options: FindServerOptions): Promise<string> {
  const cache = join(options.cacheHome ?? join(homedir(), '.cache'), 'weft', 'bin');
  const pinned = join(cache, `temporal-${TEMPORAL_CLI_VERSION}-sqlite-${SQLITE.split(' v')[1]}`);
  return (
    (await onPath()) ??
    (await firstExecutable([pinned])) ??
    (await downloaded(cache, options)) ??
    (await built(cache, pinned, options)) ??
    notFound()
  );
}

function notFound(): never {
  throw new AppError('SETUP_INCOMPLETE', { detail: INSTALL_HINT });
}

async function onPath(): Promise<string | null> {
  try {
    const { stdout } = await run('/bin/sh', ['-c', 'command -v temporal && temporal --version']);
    const [path, version] = stdout.split('\n');
    return path?.startsWith('/') && version?.startsWith('temporal version') ? path : null;
  } catch {
    return null;
  }
}

async function firstExecutable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    if (await isExecutable(path)) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The SDK downloads only on the way to starting a server, so a process of its own does that and can be given up. */
async function downloaded(cache: string, { onProgress, signal }: FindServerOptions): Promise<string | null> {
  const folder = join(cache, 'sdk');
  const present = async () => {
    const names = await readdir(folder).catch(() => []);
    return firstExecutable(names.filter((name) => name.startsWith('temporal-sdk-')).map((name) => join(folder, name)));
  };
  const before = await present();
  if (before !== null) return before;
  if (!(await downloadReachable())) return null;
  onProgress('Temporal: downloading the dev server');
  await mkdir(folder, { recursive: true });
  const script = join(import.meta.dirname, 'download-server.ts');
  try {
    await run(process.execPath, [script, folder], { timeout: 180_000, killSignal: 'SIGKILL', signal });
  } catch {
    signal?.throwIfAborted();
    return null;
  }
  return present();
}

async function downloadReachable(): Promise<boolean> {
  try {
    await fetch('https://temporal.download/', { method: 'HEAD', signal: AbortSignal.timeout(3_000) });
    return true;
  } catch {
    return false;
  }
}

async function built(cache: string, target: string, options: FindServerOptions): Promise<string | null> {
  try {
    await run('go', ['version']);
  } catch {
    return null;
  }
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'build-'));
  try {
    await goBuild(folder, options);
    await rename(join(folder, 'temporal'), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function goBuild(folder: string, { onProgress, signal }: FindServerOptions): Promise<void> {
  const started = performance.now();
  let last = 'starting';
  const tell = () => {
    const seconds = Math.round((performance.now() - started) / 1000);
    onProgress(`Temporal: building ${TEMPORAL_CLI_VERSION} with Go, once, about 3 minutes (${seconds} s; ${last})`);
  };
  await writeFile(join(folder, 'go.mod'), GO_MOD);
  const go = spawn('go', ['build', '-v', '-mod=mod', '-o', 'temporal', `${MODULE}/cmd/temporal`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  createInterface({ input: go.stderr }).on('line', (line) => (last = line.trim()));
  tell();
  const timer = setInterval(tell, 5_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => go.once('error', reject).once('close', resolve));
    if (code !== 0)
      throw new AppError('SETUP_INCOMPLETE', { detail: `Go could not build Temporal (${last}). ${INSTALL_HINT}` });
  } finally {
    clearInterval(timer);
  }
}
