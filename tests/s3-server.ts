import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../adapters/embedded/guarded-process.ts';

export type S3Server = { endpoint: string; environment: Record<string, string>; stop: () => Promise<void> };

/** The package names a program that it does not have. */
const PROGRAM = "require('@20minutes/s3rver/lib/cli.js').parseAsync()";
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUCKET = 'weft';

/** An S3-compatible server in a process of its own, with one bucket; `environment` has the settings of it. */
export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-s3-'));
  const port = await findFreePort(0, new Set());
  const output: string[] = [];
  const server = spawnGuarded(
    process.execPath,
    [
      ...['-e', PROGRAM, '--', 's3rver', '--directory', folder, '--address', '127.0.0.1', '--port', String(port)],
      // It computes the signature of a request for a bucket over a path without the final slash that is there.
      ...['--silent', '--allow-mismatched-signatures', '--configure-bucket', BUCKET],
    ],
    { cwd: ROOT, stopSignal: 'SIGTERM', onLine: (line) => output.push(line) },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  if (!(await answers(endpoint))) {
    await stop();
    throw new Error(`the S3 server did not start: ${output.join('\n')}`);
  }
  return {
    endpoint,
    environment: {
      WEFT_S3_BUCKET: BUCKET,
      WEFT_S3_ENDPOINT: endpoint,
      WEFT_S3_REGION: 'us-east-1',
      WEFT_S3_PATH_STYLE: 'true',
      WEFT_S3_ACCESS_KEY_ID: 'S3RVER',
      WEFT_S3_SECRET_ACCESS_KEY: 'S3RVER',
    },
    stop,
  };
}

async function answers(endpoint: string): Promise<boolean> {
  for (let tries = 0; tries < 300; tries += 1) {
    const response = await fetch(endpoint).catch(() => null);
    if (response) return true;
    await sleep(50);
  }
  return false;
}
