import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { CheckOptions, PublishOptions, SchemaOptions, ShowOptions } from '../schema-command.ts';
import { UsageError } from '../usage-error.ts';
import { type Change, type Check, printCheck } from './print-check.ts';
import { readOperations, readSdlFile } from './sdl-file.ts';

const CHECK = `subgraph base hash unchanged composes breaks problems { code message places { subgraph line column } }
  hints { code message } changes { type severity message path } brokenOperations { name message }`;
const VERSION = `version hash kind subgraph rolledBackTo forced note publishedBy publishedAt
  subgraphs { name hash url } changes { severity message path }`;

type Version = {
  version: number;
  hash: string;
  kind: 'SEED' | 'PUBLISH' | 'ROLLBACK';
  subgraph: string;
  rolledBackTo: number | null;
  forced: boolean;
  note: string | null;
  publishedBy: string | null;
  publishedAt: string;
  subgraphs: { name: string; hash: string; url: string | null }[];
  changes: Pick<Change, 'severity' | 'message' | 'path'>[];
};
type Publication = { published: boolean; version: Version };

/** Gives 1 when it does not compose, or callers may break. */
export async function checkSchema(subgraph: string, path: string, options: CheckOptions): Promise<number> {
  const { sdl, operations, input } = inputOf(subgraph, path, options);
  const { checkSchema: check } = await createGatewayClient(options.url)<{ checkSchema: Check }>(
    `query ($input: SchemaInput!) { checkSchema(input: $input) { ${CHECK} } }`,
    { input },
  );
  if (options.json) printJson(check);
  else printCheck(check, sdl, operations);
  return check.composes && !check.breaks ? 0 : 1;
}

export async function publishSchema(subgraph: string, path: string, options: PublishOptions): Promise<number> {
  const { input } = inputOf(subgraph, path, options);
  const { force = false, note } = options;
  const answer = await createGatewayClient(options.url)<{ publishSchema: Publication }>(
    `mutation ($input: PublishSchemaInput!) { publishSchema(input: $input) { published version { ${VERSION} } } }`,
    { input: { ...input, force, note } },
  );
  return tell(answer.publishSchema, options);
}

export async function rollBackSchema(version: number, options: SchemaOptions & { note?: string }): Promise<number> {
  const answer = await createGatewayClient(options.url)<{ rollBackSchema: Publication }>(
    `mutation ($version: Int!, $note: String) { rollBackSchema(version: $version, note: $note) { published version { ${VERSION} } } }`,
    { version, note: options.note },
  );
  return tell(answer.rollBackSchema, options);
}

export async function listVersions({ url, json, first }: SchemaOptions & { first: number }): Promise<number> {
  const { supergraphVersions } = await createGatewayClient(url)<{ supergraphVersions: Version[] }>(
    `query ($first: Int!) { supergraphVersions(first: $first) { ${VERSION} } }`,
    { first },
  );
  if (json) printJson(supergraphVersions);
  else if (supergraphVersions.length === 0) {
    process.stdout.write('Nothing has been published: the gateways serve what their release came with\n');
  } else {
    const rows = supergraphVersions.map((one) => [
      String(one.version),
      one.publishedAt,
      one.publishedBy ?? '-',
      what(one),
      one.hash.slice(0, 12),
      one.note ?? '',
    ]);
    printRows([['VERSION', 'PUBLISHED', 'BY', 'WHAT', 'HASH', 'NOTE'], ...rows]);
  }
  return 0;
}

export async function showVersion(version: number | null, { url, json, subgraph }: ShowOptions): Promise<number> {
  type Shown = Omit<Version, 'subgraphs'> & { supergraphSdl: string; subgraphs: { name: string; sdl: string }[] };
  const { supergraphVersion: shown } = await createGatewayClient(url)<{ supergraphVersion: Shown | null }>(
    `query ($version: Int) { supergraphVersion(version: $version) { ${VERSION} supergraphSdl subgraphs { name sdl } } }`,
    { version },
  );
  if (shown === null) throw new UsageError(`There is no version ${version}`, 'weft schema list has them.');
  const names = shown.subgraphs.map(({ name }) => name).join(', ');
  const found = shown.subgraphs.find(({ name }) => name === subgraph);
  if (subgraph !== undefined && found === undefined) {
    throw new UsageError(`Version ${shown.version} has no subgraph ${subgraph}`, `It has ${names}.`);
  }
  if (json) printJson(shown);
  else process.stdout.write(`${(found?.sdl ?? shown.supergraphSdl).trimEnd()}\n`);
  return 0;
}

type Instance = { subgraph: string; url: string | null; host: string; health: string; sdlHash: string; seenAt: string };

export async function listSubgraphs({ url, json }: SchemaOptions): Promise<number> {
  const { subgraphs } = await createGatewayClient(url)<{ subgraphs: Instance[] }>(
    'query { subgraphs { subgraph instance url host health sdlHash startedAt seenAt expiresAt } }',
  );
  if (json) printJson(subgraphs);
  else {
    const rows = subgraphs.map((one) => [
      one.subgraph,
      one.url ?? '-',
      one.host,
      one.health,
      one.sdlHash.slice(0, 12),
      one.seenAt,
    ]);
    printRows([['SUBGRAPH', 'ADDRESS', 'HOST', 'HEALTH', 'SCHEMA', 'SEEN'], ...rows]);
  }
  return subgraphs.every(({ health }) => health === 'HEALTHY') ? 0 : 1;
}

function inputOf(subgraph: string, path: string, { operations: files, address }: CheckOptions) {
  const sdl = readSdlFile(path);
  const operations = readOperations(files);
  const input = { subgraph, sdl: sdl.text, url: address, operations: operations.map(({ text }) => text) };
  return { sdl, operations, input };
}

function tell({ published, version }: Publication, { json }: SchemaOptions): number {
  if (json) printJson({ published, ...version });
  else if (!published) process.stdout.write(`Version ${version.version} has that already, and is served\n`);
  else {
    for (const { severity, message } of version.changes.filter((one) => one.severity !== 'SAFE')) {
      process.stdout.write(`${severity} ${message}\n`);
    }
    process.stdout.write(`Version ${version.version}: ${what(version)}\n`);
  }
  return 0;
}

function what({ kind, subgraph, rolledBackTo, forced }: Version): string {
  if (kind === 'ROLLBACK') return `back to version ${rolledBackTo}`;
  return kind === 'SEED' ? 'the release' : `${subgraph} published${forced ? ', by force' : ''}`;
}
