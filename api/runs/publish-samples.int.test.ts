import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { ROOT } from '../../tests/source-files.ts';

const FOLDER = join(ROOT, 'samples/workflows');
const FILES = readdirSync(FOLDER).filter((name) => /\.(json|yaml)$/.test(name));

describe('the samples', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
  }, 60_000);
  afterAll(() => doors.close());

  it.each(FILES)('can be published as they are: %s', async (name) => {
    const definition = parse(readFileSync(join(FOLDER, name), 'utf8')) as { name: string };
    const publish = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id version } }';
    const { data, errors } = await doors.ask(publish, { definition });
    expect(errors).toBeUndefined();
    expect(data.publishWorkflow).toEqual({ id: definition.name, version: 1 });
  });
});
