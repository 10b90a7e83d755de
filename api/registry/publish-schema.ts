import { recordedChange } from '../../adapters/postgres/record-events.ts';
import {
  insertSdl,
  insertSupergraph,
  lockSupergraph,
  readSupergraph,
  type SupergraphVersion,
} from '../../adapters/registry/supergraph-store.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import { accessEvent } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { RegistryDeps } from './deps.ts';
import { type Judgement, judgeSchema, type SchemaInput, sha256 } from './judge-schema.ts';

export type PublishInput = SchemaInput & { force?: boolean | null | undefined; note?: string | null | undefined };
export type Publication = {
  version: SupergraphVersion;
  /** False where it was served already. */
  published: boolean;
};
type Publisher = Pick<Principal, 'subject' | 'address'>;
type Client = Parameters<Parameters<typeof recordedChange>[2]>[0];

/** Of publications that get ahead of this one. */
const MOST_ATTEMPTS = 10;

/**
 * Makes a schema part of what gateways serve, all of it or nothing. What is served already stays as it is.
 * @throws SCHEMA_INVALID, SCHEMA_BREAKING, INPUT_INVALID
 */
export async function publishSchema(
  deps: RegistryDeps,
  principal: Publisher,
  input: PublishInput,
): Promise<Publication> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const judgement = await judgeSchema(deps, input);
    refuse(judgement, input.force === true);
    const version = await store(deps, principal, input, judgement);
    if (version !== null) return { version, published: !judgement.unchanged };
  }
  throw new AppError('SCHEMA_CONTENDED');
}

function refuse({ problems, changes, brokenOperations }: Judgement, force: boolean): void {
  if (problems.length > 0) throw new AppError('SCHEMA_INVALID', { count: problems.length, problems });
  const breaking = changes.filter(({ severity }) => severity === 'BREAKING');
  if (force || breaking.length + brokenOperations.length === 0) return;
  const named = [
    ...breaking.map(({ message, path }) => ({ code: 'BREAKING_CHANGE', message, path })),
    ...brokenOperations.map(({ name, message }) => ({ code: 'OPERATION_BROKEN', message, path: `operation ${name}` })),
  ];
  throw new AppError('SCHEMA_BREAKING', { count: named.length, problems: named });
}

/** Null when another one was published meanwhile. */
async function store(
  deps: RegistryDeps,
  principal: Publisher,
  { force, note }: PublishInput,
  { base, subgraph, hash, unchanged, next, seed, changes }: Judgement,
): Promise<SupergraphVersion | null> {
  const { pool } = deps;
  if (unchanged && base > 0) return readSupergraph(pool, base);
  return recordedChange(pool, DEFAULT_TENANT, async (client) => {
    if ((await lockSupergraph(client)) !== base) return { result: null, events: [] };
    const seeded = seed && (await storeSeed(client, seed));
    if (next === undefined) return { result: seeded ?? null, events: [] };
    await insertSdl(client, subgraph, hash, next.sdl);
    const result = await insertSupergraph(client, {
      ...{ hash: sha256(next.supergraphSdl), supergraphSdl: next.supergraphSdl, subgraphs: next.subgraphs },
      ...{ subgraph, kind: 'publish', rolledBackTo: null, changes: told(changes), note: note ?? null },
      ...{ forced: force === true && changes.some(({ severity }) => severity === 'BREAKING') },
      publishedBy: principal.subject,
    });
    const detail = { version: result.version, hash: result.hash, forced: result.forced };
    return { result, events: [accessEvent('access.schema_published', principal, subgraph, { detail })] };
  });
}

/** So that what a release brought along can be gone back to. */
async function storeSeed(client: Client, seed: NonNullable<Judgement['seed']>): Promise<SupergraphVersion> {
  const { supergraphSdl, subgraph, sdl } = seed;
  await insertSdl(client, subgraph.name, subgraph.hash, sdl);
  return insertSupergraph(client, {
    ...{ hash: sha256(supergraphSdl), supergraphSdl, subgraphs: [subgraph], subgraph: subgraph.name, kind: 'seed' },
    ...{ rolledBackTo: null, changes: [], forced: false, note: 'what the release came with', publishedBy: null },
  });
}

/** Serves an earlier version again. @throws NOT_FOUND */
export async function rollBackSchema(
  { pool }: RegistryDeps,
  principal: Publisher,
  { version, note }: { version: number; note?: string | null | undefined },
): Promise<Publication> {
  return recordedChange<Publication>(pool, DEFAULT_TENANT, async (client) => {
    const live = await lockSupergraph(client);
    const wanted = version > 0 ? await readSupergraph(client, version) : null;
    if (wanted === null) throw new AppError('NOT_FOUND', { what: 'Version of the graph', id: version });
    const served = await readSupergraph(client, live);
    if (served !== null && served.hash === wanted.hash && sameSubgraphs(served, wanted)) {
      return { result: { version: served, published: false }, events: [] };
    }
    const result = await insertSupergraph(client, {
      ...{ hash: wanted.hash, supergraphSdl: wanted.supergraphSdl, subgraphs: wanted.subgraphs },
      ...{ subgraph: wanted.subgraph, kind: 'rollback', rolledBackTo: version, changes: [], forced: false },
      ...{ note: note ?? null, publishedBy: principal.subject },
    });
    const detail = { version: result.version, rolledBackTo: version };
    const events = [accessEvent('access.schema_rolled_back', principal, wanted.subgraph, { detail })];
    return { result: { version: result, published: true }, events };
  });
}

const sameSubgraphs = (one: SupergraphVersion, other: SupergraphVersion): boolean =>
  JSON.stringify(one.subgraphs) === JSON.stringify(other.subgraphs);

const MOST_TOLD = 1000;
const told = (changes: Judgement['changes']) => changes.slice(0, MOST_TOLD);
