import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const SDK = import.meta.dirname;
const EXPECTED = /^\s*\/\/ @ts-expect-error (.*)$/;

/** Compiles copies of the files beside each other, with the settings of the repository; gives the lines that do not compile. */
function compile(files: Record<string, string>): { file: string; line: number; message: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'weft-sdk-types-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      const relocated = text
        .replaceAll("'./index.ts'", `'${SDK}/index.ts'`)
        .replaceAll("'../../domain/", `'${ROOT}/domain/`);
      writeFileSync(join(folder, name), relocated);
    }
    const compilerOptions = { typeRoots: [join(ROOT, 'node_modules/@types')] };
    const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['*.ts'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}` },
    });
    return [...stdout.matchAll(/^(\S+?)\((\d+),\d+\): (error .*)$/gm)].map(([, file = '', line, message = '']) => ({
      file,
      line: Number(line),
      message,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('wrong references', () => {
  const lines = readFileSync(join(SDK, 'workflow.types.ts'), 'utf8').split('\n');
  const wrong = lines.flatMap((line, index) => {
    const reason = EXPECTED.exec(line)?.[1];
    return reason === undefined ? [] : [{ reason, line: index + 2 }];
  });
  let failing = new Set<number>();

  beforeAll(() => {
    const stripped = lines.map((line) => (EXPECTED.test(line) ? '' : line)).join('\n');
    failing = new Set(compile({ 'stripped.ts': stripped }).map((error) => error.line));
  }, 60_000);

  it('are enough to be worth it', () => expect(wrong.length).toBeGreaterThan(25));

  it.each(wrong)('do not compile: $reason', ({ line }) => expect([...failing]).toContain(line));

  it('are all that does not compile', () => {
    expect([...failing].sort((left, right) => left - right)).toEqual(wrong.map(({ line }) => line));
  });
});

describe('examples in the documentation of exports', () => {
  const files = readdirSync(SDK).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const examples = files.flatMap((name) => {
    const source = readFileSync(join(SDK, name), 'utf8');
    const blocks = [...source.matchAll(/\* ```ts\n([^]*?)\* ```/g)].map(([, block = '']) =>
      block.replaceAll(/^\s*\* ?/gm, ''),
    );
    return blocks.map((block, index) => [`${name.replace(/\.ts$/, '')}-${index}.ts`, block] as const);
  });

  it('are there for each function that is exported', () => {
    const shown = examples.map(([, block]) => block).join('\n');
    for (const name of [
      'workflow(',
      'cel<',
      'text`',
      'gives<',
      'parseText(',
      'printText(',
      '.map(',
      '.loop(',
      '.try(',
      '.undo(',
    ])
      expect(shown).toContain(name);
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it('compile in docs/definition.md too', () => {
    const page = readFileSync(join(ROOT, 'docs/definition.md'), 'utf8');
    const blocks = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, block = '']) =>
      block.replace("'@weft/sdk'", "'./index.ts'"),
    );
    expect(blocks.length).toBeGreaterThan(0);
    expect(compile(Object.fromEntries(blocks.map((block, index) => [`page-${index}.ts`, block])))).toEqual([]);
  }, 60_000);

  it('compile', () => {
    const imports =
      "import { cel, gives, parseText, printText, text, workflow } from './index.ts';\nvoid [cel, gives, parseText, printText, text, workflow];\n";
    const withImports = examples.map(([name, block]) => [name, `${imports}${block}\nexport {};\n`]);
    expect(compile(Object.fromEntries(withImports) as Record<string, string>)).toEqual([]);
  }, 60_000);
});
