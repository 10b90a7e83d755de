import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  checkScenario,
  compileDefinition,
  describeTimeline,
  isJsonObject,
  readScenarioFile,
  runScript,
  timelineOf,
} from '../../sdk/src/index.ts';
import { readValidDefinition, readValueFile } from './definition-file.ts';
import { inputProblems } from './input-schema.ts';
import { junitOf } from './junit.ts';
import { UsageError } from './usage-error.ts';

export type TestOptions = { json?: boolean; junit?: string; verbose?: boolean };
export type TestResult = {
  file: string;
  workflow: string;
  name: string;
  ms: number;
  failures: string[];
  timeline: string[];
};

/** `weft test`: every test of every file. Exit code 1 when one fails. */
export async function runTests(paths: readonly string[], { json, junit, verbose }: TestOptions): Promise<number> {
  const files = paths.flatMap(testFiles);
  if (files.length === 0) throw new UsageError(`There are no .yaml or .json files in ${paths.join(', ')}`, null);
  const results: TestResult[] = [];
  for (const file of files) results.push(...(await runTestFile(file)));
  const failed = results.filter(({ failures }) => failures.length > 0);
  if (junit !== undefined) writeFileSync(junit, junitOf(results));
  if (json)
    process.stdout.write(
      `${JSON.stringify({ passed: results.length - failed.length, failed: failed.length, results })}\n`,
    );
  else {
    for (const file of files) process.stdout.write(`${describeTestFile(file, results, verbose ?? false).join('\n')}\n`);
    process.stdout.write(`\n${results.length - failed.length} passed, ${failed.length} failed\n`);
  }
  return failed.length === 0 ? 0 : 1;
}

function testFiles(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`There is no file or folder ${path}`, null);
  if (!stats.isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return testFiles(join(path, entry.name));
    return /\.(ya?ml|json)$/.test(entry.name) && !isDefinition(join(path, entry.name)) ? [join(path, entry.name)] : [];
  });
}

/** A folder may hold the workflows beside their tests. */
function isDefinition(file: string): boolean {
  const value = readValueFile(file);
  return isJsonObject(value) && value['nodes'] !== undefined;
}

export async function runTestFile(file: string): Promise<TestResult[]> {
  const { workflow, scenarios } = readTestFile(file);
  const path = resolve(dirname(file), workflow);
  const definition = await readValidDefinition(path);
  const compiled = compileDefinition(definition);
  return scenarios.map(({ name, script, expected }) => {
    const began = performance.now();
    const invalid = inputProblems(definition.input, script.input);
    if (invalid.length > 0) return { file, workflow: definition.name, name, ms: 0, failures: invalid, timeline: [] };
    const run = runScript(compiled, script);
    const failures = checkScenario(run, expected);
    const timeline = describeTimeline(timelineOf(compiled, run.events));
    return { file, workflow: definition.name, name, ms: performance.now() - began, failures, timeline };
  });
}

function readTestFile(file: string): ReturnType<typeof readScenarioFile> {
  const value = readValueFile(file);
  if (!isJsonObject(value)) throw new UsageError(`${file} is no file of tests`, 'It has workflow and tests.');
  try {
    return readScenarioFile(value);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, null);
  }
}

export function describeTestFile(file: string, results: readonly TestResult[], verbose: boolean): string[] {
  const lines = results
    .filter((result) => result.file === file)
    .flatMap(({ name, failures, timeline }) => [
      `  ${failures.length === 0 ? 'ok  ' : 'FAIL'} ${name}`,
      ...failures.map((failure) => `       ${failure}`),
      ...(failures.length > 0 || verbose ? timeline.map((line) => `       | ${line}`) : []),
    ]);
  return [file, ...lines];
}
