import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Counts = { passed: number; failed: number; skipped: number };

const ROOT = join(import.meta.dirname, '..');
const CHOSEN_PROJECTS = /^--(selectProjects|projects|ignoreProjects)\b/;

/**
 * Cheap tests first; the ones that start whole process groups last and alone. Modules of one test file are never let go of in the
 * process that ran it, so many files take several.
 */
const PHASES = [
  ['--selectProjects', 'unit', '--passWithNoTests'],
  ...['1/3', '2/3', '3/3'].map((shard) => ['--selectProjects', 'int', '--passWithNoTests', '--shard', shard]),
  ['--selectProjects', 'e2e', '--passWithNoTests', '--runInBand'],
];

async function runJest(args: readonly string[], folder: string): Promise<{ code: number; counts: Counts }> {
  const file = join(folder, 'counts.json');
  await rm(file, { force: true });
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      WEFT_TEST_COUNTS: file,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
    },
  });
  const stop = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)));
  process.off('SIGINT', stop).off('SIGTERM', stop);
  const text = await readFile(file, 'utf8').catch(() => null);
  const counts = text === null ? { passed: 0, failed: 0, skipped: 0 } : (JSON.parse(text) as Counts);
  // A run that ended badly without a failed test, such as a server that did not start, is a failure too.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { code, counts };
}

const args = process.argv.slice(2);
const phases = args.some((arg) => CHOSEN_PROJECTS.test(arg)) ? [[]] : PHASES;
const folder = await mkdtemp(join(tmpdir(), 'weft-counts-'));
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
let exitCode = 0;
for (const phase of phases) {
  const { code, counts } = await runJest([...phase, ...args], folder);
  if (code !== 0) exitCode = code;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
await rm(folder, { recursive: true, force: true });
if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = exitCode;
