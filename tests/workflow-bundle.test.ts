import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflows } from '../workers/bundle.ts';
import { ROOT } from './source-files.ts';

/** The code was 1,389,620 characters in November 2026; it is parsed again for every worker thread. */
const LARGEST_CODE = 1_500_000;
const PACKAGES = [
  '@cfworker/json-schema',
  '@marcbachmann/cel-js',
  '@temporalio/common',
  '@temporalio/workflow',
  'handlebars',
  'ms',
  'nexus-rpc',
];
const MAP = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';
const SILENT = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

describe('the workflow bundle', () => {
  let code = '';
  let sources: string[] = [];

  beforeAll(async () => {
    const bundle = await bundleWorkflows(SILENT);
    const map = bundle.lastIndexOf(MAP);
    expect(map).toBeGreaterThan(0);
    code = bundle.slice(0, map);
    const decoded = Buffer.from(bundle.slice(map + MAP.length), 'base64').toString();
    ({ sources } = JSON.parse(decoded) as { sources: string[] });
  }, 120_000);

  it('is no larger than it has to be', () => expect(code.length).toBeLessThan(LARGEST_CODE));

  it('has these packages inside, and no other', () => {
    const packages = sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
    expect([...new Set(packages)].sort()).toEqual(PACKAGES);
  });

  it('has the engine and the workflows inside, and nothing of the layers above', () => {
    const folders = sources
      .filter((source) => source.startsWith(`${ROOT}/`) && !source.includes('node_modules'))
      .map((source) => source.slice(ROOT.length + 1))
      .filter((source) => !/^temporal\/(payload|workflow-failure)-converter\.ts$/.test(source));
    expect(folders).toContain('domain/runs/evolve.ts');
    expect(folders).toContain('workflows/runs/run.ts');
    expect(new Set(folders.map((source) => source.split('/')[0]))).toEqual(new Set(['domain', 'workflows']));
  });

  it('keeps modules without state for all runs of a thread, where webpack looks them up and where it puts them', () => {
    const require = code.slice(code.indexOf('function __webpack_require__('));
    expect(require).toMatch(/const cachedModule = \([^\n]+__webpack_require__\.pure [^\n]+\)\[moduleId\];/);
    expect(require).toMatch(/const module = \([^\n]+__webpack_require__\.pure [^\n]+\)\[moduleId\] = \{/);
  });

  it("asks for none of Node's modules", () => {
    const asked = [...code.matchAll(/require\(["']([^"']+)["']\)/g)].map((match) => match[1] ?? '');
    const builtins = asked.filter(
      (name) => name.startsWith('node:') || builtinModules.includes(name.split('/')[0] ?? ''),
    );
    expect(builtins).toEqual([]);
  });
});

describe('workflow code', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-workflows-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Compiles one file as if it were one of the folder whose settings are given. */
  function compile(name: string, settings: string, source: string): string[] {
    const place = join(folder, name);
    mkdirSync(place);
    writeFileSync(join(place, 'planted.ts'), source);
    const compilerOptions = { typeRoots: [join(ROOT, 'node_modules/@types')] };
    const config = { extends: join(ROOT, settings), compilerOptions, include: ['planted.ts'], exclude: [] };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', place], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}` },
    });
    return [...stdout.matchAll(/error TS\d+: Cannot find name '(\w+)'/g)].map((match) => match[1] ?? '');
  }

  const source = `
    export const home = process.env['HOME'];
    export const answer = () => fetch('https://example.org');
    export const later = () => setTimeout(() => 1, 5);
    export const bytes = Buffer.from('x');
    export const signal = (): AbortSignal => new AbortController().signal;
  `;

  it('that reaches outside compiles elsewhere, but not among the workflows', () => {
    expect(compile('elsewhere', 'tsconfig.json', source)).toEqual([]);
    const missing = compile('workflows', 'workflows/tsconfig.json', source);
    for (const name of ['process', 'fetch', 'setTimeout', 'Buffer', 'AbortSignal']) expect(missing).toContain(name);
  }, 60_000);
});
