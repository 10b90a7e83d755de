import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { runTestFile } from '../cli/src/test-command.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { NODE_TYPES, type NodeType } from '../domain/runs/node-types.ts';
import { validateDefinition } from '../domain/runs/validate.ts';
import { exampleOf, renderNodesPage, TOPICS } from './nodes-page.ts';
import { ROOT } from './source-files.ts';

const FOLDER = join(ROOT, 'samples/nodes');
const TYPES = Object.keys(NODE_TYPES) as NodeType[];
const named = (folder: string) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace('.yaml', ''));
const EXAMPLES = named(FOLDER);
const read = (name: string) => parse(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')) as WorkflowDefinition;

describe('the examples of node types', () => {
  it.each(TYPES)('one of them uses %s and is named after it', (type) => {
    expect(read(exampleOf(type)).nodes.map((node) => node.type)).toContain(type);
  });

  it('are of a type or of a topic of docs/nodes.md, and each has tests', () => {
    expect(EXAMPLES.toSorted()).toEqual([...TYPES.map(exampleOf), ...Object.keys(TOPICS)].sort());
    expect(named(join(FOLDER, 'tests')).sort()).toEqual(EXAMPLES.toSorted());
  });

  it.each(EXAMPLES)('%s has no problems, is named like its file, is short and says what it is for', (name) => {
    const definition = read(name);
    expect(validateDefinition(definition)).toEqual([]);
    expect(definition.name).toBe(name);
    expect(definition.description?.length).toBeGreaterThan(40);
    expect(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8').split('\n').length).toBeLessThan(40);
  });

  it.each(EXAMPLES)('%s does what its tests say', async (name) => {
    const results = await runTestFile(join(FOLDER, `tests/${name}.yaml`));
    expect(results.length).toBeGreaterThan(0);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  });
});

describe('docs/nodes.md', () => {
  it('is what the table, the examples and the engine say; `npm run generate` renews it', async () => {
    expect(readFileSync(join(ROOT, 'docs/nodes.md'), 'utf8')).toBe(await renderNodesPage());
  });
});
