import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  Json,
  ParsedText,
  PlacedProblem,
  TextFormat,
  TextPosition,
  WorkflowDefinition,
} from '../../sdk/src/index.ts';
import { parseText, placeProblems, validateDefinition } from '../../sdk/src/index.ts';
import { inputSchemaProblems } from './input-schema.ts';
import { UsageError } from './usage-error.ts';

export type DefinitionFile = {
  file: string;
  /** Undefined where the text is not well-formed. */
  value: Json | undefined;
  problems: PlacedProblem[];
};

const FORMATS: Readonly<Record<string, TextFormat>> = { '.json': 'json', '.yaml': 'yaml', '.yml': 'yaml' };
const MODULES = ['.ts', '.mts', '.js', '.mjs'];

/** A definition from .json, .yaml or a module that exports one, with all that is wrong with it. */
export async function readDefinitionFile(argument: string): Promise<DefinitionFile> {
  const [file = '', exportName] = argument.split('#');
  const extension = extname(file).toLowerCase();
  if (MODULES.includes(extension)) {
    const value = await loadModule(file, exportName);
    return { file, value, problems: problemsOf(value) };
  }
  const parsed = readTextFile(file);
  return { file, value: parsed.value, problems: placedProblems(parsed) };
}

export function readTextFile(file: string): ParsedText {
  const format = FORMATS[extname(file).toLowerCase()];
  if (format === undefined) {
    throw new UsageError(
      `${file} is no definition: its name must end in .json, .yaml or .ts`,
      'For example hello.yaml.',
    );
  }
  return parseText(readText(file), format);
}

/** Any JSON or YAML file: inputs and results. @throws UsageError with the place of what is not well-formed */
export function readValueFile(file: string): Json {
  const { value, problems } = readTextFile(file);
  const [first] = problems;
  if (first) throw new UsageError(`${file}:${first.line}:${first.column} ${first.message}`, null);
  return value ?? null;
}

/** @throws UsageError naming the problems of a definition that has some */
export async function readValidDefinition(argument: string): Promise<WorkflowDefinition> {
  const { file, value, problems } = await readDefinitionFile(argument);
  if (problems.length === 0) return value as unknown as WorkflowDefinition;
  const listed = problems.slice(0, 20).map((problem) => describeProblem(file, problem));
  const rest = problems.length > 20 ? [`and ${problems.length - 20} more`] : [];
  throw new UsageError([...listed, ...rest].join('\n'), `Every problem: weft validate ${file}`);
}

function placedProblems(parsed: ParsedText): PlacedProblem[] {
  if (parsed.value !== undefined) return placeProblems(problemsOf(parsed.value), parsed);
  return parsed.problems.map(({ line, column, message }) => ({
    code: 'DEFINITION_SHAPE',
    path: '',
    nodeId: null,
    message,
    hint: null,
    line,
    column,
  }));
}

function problemsOf(value: Json | undefined): PlacedProblem[] {
  return [...validateDefinition(value), ...inputSchemaProblems(value)];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `There is no file ${file}` : `${file} cannot be read (${code})`, null);
  }
}

/** What a module exports: a definition, a builder, or a function without parameters that gives one of them. */
async function loadModule(file: string, exportName: string | undefined): Promise<Json> {
  readText(file);
  const exported = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const named = exportName === undefined ? Object.entries(exported) : [[exportName, exported[exportName]] as const];
  const found = named.flatMap(([name, value]) => {
    const definition = definitionOf(value);
    return definition === null ? [] : [{ name, definition }];
  });
  const chosen = found.find(({ name }) => name === 'default') ?? (found.length === 1 ? found[0] : undefined);
  if (chosen) return chosen.definition;
  const names = found.map(({ name }) => name);
  if (names.length === 0) {
    throw new UsageError(
      `${file} exports no workflow${exportName === undefined ? '' : ` named ${exportName}`}`,
      'Export what workflow(...) or its build() gives.',
    );
  }
  throw new UsageError(`${file} exports several workflows: ${names.join(', ')}`, `Name one: ${file}#${names[0]}`);
}

function definitionOf(value: unknown): Json | null {
  if (typeof value === 'function')
    return value.length === 0 && !isClass(value) ? definitionOf((value as () => unknown)()) : null;
  if (typeof value !== 'object' || value === null) return null;
  const { build, name, nodes } = value as { build?: unknown; name?: unknown; nodes?: unknown };
  if (typeof build === 'function') return definitionOf((value as { build: () => unknown }).build());
  return typeof name === 'string' && Array.isArray(nodes) ? (value as Json) : null;
}

const isClass = (value: object): boolean => String(value).startsWith('class');

/** `file:line:column CODE message`, as editors and CI understand it. */
export function describeProblem(file: string, problem: PlacedProblem): string {
  const { code, path, message, hint } = problem;
  const place = describePlace(file, problem);
  return `${place} ${code} ${message}${path === '' ? '' : ` [${path}]`}${hint === null ? '' : `\n  hint: ${hint}`}`;
}

function describePlace(file: string, { line, column }: Partial<TextPosition>): string {
  return line === undefined ? file : `${file}:${line}:${column}`;
}
