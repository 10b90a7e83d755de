import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const TIMEOUT_MS = 180_000;

function run(tool: string, args: readonly string[]): { code: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(join(ROOT, 'node_modules/.bin', tool), args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}` },
  });
  return { code: status, output: error ? String(error) : `${stdout}${stderr}`.trim() };
}

/** What `npm run check` does, so that one command judges a change. */
describe('the source', () => {
  it('compiles', () => expect(run('tsc', ['-p', '.'])).toEqual({ code: 0, output: '' }), TIMEOUT_MS);

  it(
    'keeps workflow code free of Node and the browser',
    () => expect(run('tsc', ['-p', 'workflows'])).toEqual({ code: 0, output: '' }),
    TIMEOUT_MS,
  );

  it(
    'has no finding of the linter',
    () => {
      const { code, output } = run('oxlint', []);
      expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    },
    TIMEOUT_MS,
  );

  it(
    'is formatted',
    () => {
      const { code, output } = run('prettier', ['--check', '.', '--log-level', 'warn']);
      expect({ code, output }).toEqual({ code: 0, output: '' });
    },
    TIMEOUT_MS,
  );
});
