import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { ERRORS } from '../domain/errors.ts';
import { validateDefinition } from '../domain/runs/validate.ts';
import { renderErrorsPage } from './errors-page.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const folder = (name: string) => readdirSync(join(ROOT, name)).filter((file) => file.endsWith('.md'));
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...folder('docs').map((file) => `docs/${file}`),
  ...folder('docs/decisions').map((file) => `docs/decisions/${file}`),
];
const README = read('README.md');
const blocks = (page: string, language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, body = '']) => body);

/** GitHub's anchors of the headings of a page. */
const anchors = (page: string) =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

describe('docs/errors.md', () => {
  it('is what the error table says; `npm run generate` renews it', () => {
    expect(read('docs/errors.md')).toBe(renderErrorsPage());
  });

  it('has every code of the table, and no row that is not in it', () => {
    const codes = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect(codes).toEqual(Object.keys(ERRORS));
  });

  it('names the codes that the gateway has of its own', () => {
    const sources = ['gateway', 'adapters/express'].flatMap((folder) =>
      readdirSync(join(ROOT, folder)).map((file) => `${folder}/${file}`),
    );
    const used = sources
      .filter((file) => /(?<!\.test)\.ts$/.test(file))
      .flatMap((file) => [...read(file).matchAll(/(?:code: |refusal\()'([A-Z_]+)'/g)].map(([, code]) => code));
    const page = read('docs/errors.md');
    expect(used.length).toBeGreaterThan(0);
    for (const code of new Set(used)) expect(page).toContain(`\`${code}\``);
  });
});

describe('the documentation', () => {
  it('links to files and headings that exist', () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        if (/^https?:/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, target))) return [`${page}: ${link}`];
        return anchor === undefined || anchors(read(target)).includes(anchor) ? [] : [`${page}: ${link}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('names files of the repository that exist', () => {
    const paths =
      /`((?:activities|adapters|api|bench|cli|config|deploy|docs|domain|gateway|samples|sdk|temporal|tests|workers|workflows)\/[\w./-]+\.\w+)`/g;
    const missing = PAGES.flatMap((page) =>
      [...read(page).matchAll(paths)].flatMap(([, path = '']) =>
        existsSync(join(ROOT, path)) ? [] : [`${page}: ${path}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  it('uses npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const used = PAGES.flatMap((page) =>
      [...read(page).matchAll(/(?:^|`)npm (?:run )?(\w+)/gm)].map(([, script = '']) => script),
    ).filter((script) => !['ci', 'install'].includes(script));
    expect([...new Set(used)].filter((script) => scripts[script] === undefined)).toEqual([]);
  });

  it('shows definitions that validate and queries that parse', () => {
    const definitions = PAGES.flatMap((page) => blocks(read(page), 'json')).map((text) => JSON.parse(text) as unknown);
    expect(definitions.length).toBeGreaterThan(0);
    for (const definition of definitions) expect(validateDefinition(definition)).toEqual([]);
    for (const query of PAGES.flatMap((page) => blocks(read(page), 'graphql')))
      expect(() => parse(query)).not.toThrow();
  });

  it('keeps the README under 200 lines', () => {
    expect(README.split('\n').length).toBeLessThan(200);
  });
});
