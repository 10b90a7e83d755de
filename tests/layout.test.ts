import { describe, expect, it } from '@jest/globals';
import { IMPORT_TABLE } from './import-table.ts';
import {
  bareErrorsAreNotThrown,
  filesAreShort,
  importsFollowTheTable,
  type LayoutRule,
  namesAreKebabCase,
  namesSayWhatIsInside,
  nothingIsExportedByDefault,
  onlyTheLoaderReadsTheEnvironment,
  ourModulesAreNotMocked,
  thereAreNoBarrels,
} from './layout-rules.ts';
import { parseSource, readSourceFiles } from './source-files.ts';

const FILES = readSourceFiles();
const violations = (rule: LayoutRule): string[] => FILES.flatMap(rule);

describe('the source', () => {
  it('is where the import table has a row', () => {
    const folders = new Set(FILES.map((file) => file.path.split('/')[0]));
    for (const folder of Object.keys(IMPORT_TABLE)) expect(folders).toContain(folder.split('/')[0]);
    expect(FILES.length).toBeGreaterThan(200);
  });

  it('imports what the table allows', () => expect(violations(importsFollowTheTable)).toEqual([]));
  it('reads the environment in config/load.ts alone', () =>
    expect(violations(onlyTheLoaderReadsTheEnvironment)).toEqual([]));
  it('exports by name', () => expect(violations(nothingIsExportedByDefault)).toEqual([]));
  it('has two barrels and no more', () => expect(violations(thereAreNoBarrels)).toEqual([]));
  it('is in files of at most 400 lines', () => expect(violations(filesAreShort)).toEqual([]));
  it('is in files named in kebab-case', () => expect(violations(namesAreKebabCase)).toEqual([]));
  it('is in files named for what they hold', () => expect(violations(namesSayWhatIsInside)).toEqual([]));
  it('does not mock itself', () => expect(violations(ourModulesAreNotMocked)).toEqual([]));
  it('throws errors of the table', () => expect(violations(bareErrorsAreNotThrown)).toEqual([]));
});

/** A rule that cannot fail is worth nothing. */
describe('each rule', () => {
  const BAD: [LayoutRule, path: string, text: string][] = [
    [importsFollowTheTable, 'domain/runs/a.ts', "import { x } from '../../adapters/http/x.ts';"],
    [importsFollowTheTable, 'domain/runs/a.ts', "import type { Pool } from 'pg';"],
    [importsFollowTheTable, 'domain/content/a.ts', "import Handlebars from 'handlebars';"],
    [importsFollowTheTable, 'domain/runs/a.ts', "import { readFileSync } from 'node:fs';"],
    [importsFollowTheTable, 'domain/runs/a.ts', "export const x = await import('../../config/load.ts');"],
    [importsFollowTheTable, 'domain/runs/a.ts', "export type X = import('../../config/load.ts').Y;"],
    [importsFollowTheTable, 'domain/runs/a.ts', "export { x } from '../../config/load.ts';"],
    [importsFollowTheTable, 'workflows/runs/a.ts', "import { z } from 'zod';"],
    [importsFollowTheTable, 'activities/runs/a.ts', "import { type A, b } from '../../adapters/http/x.ts';"],
    [importsFollowTheTable, 'adapters/http/a.ts', "import pg from 'pg';"],
    [importsFollowTheTable, 'temporal/a.ts', "import { loadSettings } from '../config/load.ts';"],
    [importsFollowTheTable, 'api/a.ts', "import { run } from '../workflows/runs/run.ts';"],
    [importsFollowTheTable, 'gateway/a.ts', "import { ERRORS } from '../domain/errors.ts';"],
    [importsFollowTheTable, 'sdk/src/a.ts', "import { x } from '../../temporal/client.ts';"],
    [importsFollowTheTable, 'cli/src/publish.ts', "import { x } from '../../temporal/client.ts';"],
    [importsFollowTheTable, 'plugins/a.ts', ''],
    [onlyTheLoaderReadsTheEnvironment, 'workers/a.ts', "export const port = process['env'].PORT;"],
    [onlyTheLoaderReadsTheEnvironment, 'workers/a.ts', "import { env } from 'node:process';"],
    [nothingIsExportedByDefault, 'workers/a.ts', 'export default function work() {}'],
    [nothingIsExportedByDefault, 'workers/a.ts', 'export default 5;'],
    [thereAreNoBarrels, 'domain/runs/index.ts', "export * from './a.ts';"],
    [thereAreNoBarrels, 'domain/runs/index.ts', "export { a } from './a.ts';\nexport type { B } from './b.ts';"],
    [filesAreShort, 'domain/a.ts', 'export const x = 1;\n'.repeat(401)],
    [namesAreKebabCase, 'domain/runs/runState.ts', ''],
    [namesAreKebabCase, 'domain/Runs/run.ts', ''],
    [namesSayWhatIsInside, 'domain/utils/dates.ts', ''],
    [namesSayWhatIsInside, 'domain/run-helper.ts', ''],
    [namesSayWhatIsInside, 'api/services/runs.ts', ''],
    [ourModulesAreNotMocked, 'domain/a.test.ts', "jest.mock('./b.ts');"],
    [bareErrorsAreNotThrown, 'domain/a.ts', "export function f() { throw new Error('x'); }"],
  ];

  it.each(BAD.map(([rule, path, text]) => [path, text.slice(0, 70), rule, text] as const))(
    'finds a fault in %s: %s',
    (path, _start, rule, text) => expect(rule(parseSource(path, text))).toHaveLength(1),
  );

  it('lets through what is allowed', () => {
    const good: [LayoutRule, string, string][] = [
      [importsFollowTheTable, 'domain/runs/a.ts', "import { Environment } from '@marcbachmann/cel-js';"],
      [importsFollowTheTable, 'activities/runs/a.ts', "import type { A } from '../../adapters/http/x.ts';"],
      [importsFollowTheTable, 'activities/runs/a.ts', "import { type A } from '../../adapters/http/x.ts';"],
      [importsFollowTheTable, 'api/a.ts', "import Ajv from 'ajv/dist/2020.js';"],
      [importsFollowTheTable, 'cli/src/start/a.ts', "import { x } from '../../../temporal/client.ts';"],
      [importsFollowTheTable, 'domain/a.test.ts', "import fc from 'fast-check';"],
      [onlyTheLoaderReadsTheEnvironment, 'workers/a.ts', "// process.env\nexport const x = 'process.env';"],
      [thereAreNoBarrels, 'workflows/catalogue.ts', "export { run } from './runs/run.ts';"],
    ];
    for (const [rule, path, text] of good) expect(rule(parseSource(path, text))).toEqual([]);
  });
});
