import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { loadSettings } from '../../../config/load.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SOURCES = [
  'workflows/**/*.ts',
  'domain/**/*.ts',
  'temporal/payload-converter.ts',
  'temporal/workflow-failure-converter.ts',
  'package-lock.json',
];
const run = promisify(execFile);

/** The workflow bundle for the code as it is now: made once per state of the sources, in a process of its own. */
export async function workflowBundle(dataDir: string, stopping: AbortSignal): Promise<string> {
  const outFile = await bundleFile(dataDir);
  if (!existsSync(outFile)) {
    await run(process.execPath, [join(ROOT, 'workers/build-bundle.ts'), outFile], { cwd: ROOT, signal: stopping });
  }
  return outFile;
}

/** Where it lies once it is made. */
export async function bundleFile(dataDir: string): Promise<string> {
  return join(dataDir, 'cache', `workflows-${await hashSources(loadSettings().WEFT_CODE_DIR)}.js`);
}

async function hashSources(codeDir: string | null): Promise<string> {
  const files: string[] = [];
  for await (const file of glob(SOURCES, { cwd: ROOT })) if (!file.endsWith('.test.ts')) files.push(file);
  if (codeDir !== null) {
    for await (const file of glob('**/*.{ts,js,mjs,json}', { cwd: codeDir })) files.push(resolve(codeDir, file));
  }
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(file).update(await readFile(resolve(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}
