import { createHash } from 'node:crypto';
import { type DocumentNode, GraphQLError, parse, print } from 'graphql';
import { declarePermissions } from '../../adapters/graphql/declare-permissions.ts';
import type { Composition } from '../../adapters/federation/compose-subgraphs.ts';
import type { BrokenOperation, SchemaChange } from '../../adapters/federation/schema-changes.ts';
import type { SchemaProblem } from '../../adapters/federation/schema-problem.ts';
import { readSdl, sdlHash } from '../../adapters/federation/subgraph-sdl.ts';
import { listInstances } from '../../adapters/registry/subgraph-instances.ts';
import {
  type PublishedSubgraph,
  readSubgraphSdl,
  readSupergraph,
  type StoredSupergraph,
} from '../../adapters/registry/supergraph-store.ts';
import { AppError } from '../../domain/errors.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RegistryDeps } from './deps.ts';

export type SchemaInput = {
  subgraph: string;
  sdl: string;
  url?: string | null | undefined;
  /** What callers are known to send. */
  operations?: readonly string[] | null | undefined;
};

/** What publishing a schema would do. */
export type Judgement = {
  /** The version that it was held against; 0 where nothing has been published. */
  base: number;
  subgraph: string;
  hash: string;
  /** Whether it is what is served already. */
  unchanged: boolean;
  problems: readonly SchemaProblem[];
  hints: readonly { code: string; message: string }[];
  changes: readonly SchemaChange[];
  brokenOperations: readonly BrokenOperation[];
  /** Undefined where there are problems. */
  next: { supergraphSdl: string; subgraphs: PublishedSubgraph[]; sdl: string } | undefined;
  /** What was served where nothing has been published. */
  seed: { supergraphSdl: string; subgraph: PublishedSubgraph; sdl: string } | undefined;
};

type Base = { version: number; supergraphSdl: string; subgraphs: (PublishedSubgraph & { document: DocumentNode })[] };

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const MOST_OPERATIONS = 1000;

/** @throws INPUT_INVALID */
export async function judgeSchema(deps: RegistryDeps, input: SchemaInput): Promise<Judgement> {
  const { subgraph, sdl } = checked(input);
  const base = await baseOf(deps);
  const seed = base.version > 0 ? undefined : seedOf(base);
  const before = base.subgraphs.find(({ name }) => name === subgraph);
  const nothing = { base: base.version, subgraph, seed, hints: [], changes: [], brokenOperations: [] };
  const read = readSdl(subgraph, sdl);
  if ('problems' in read) return { ...nothing, hash: '', unchanged: false, problems: read.problems, next: undefined };
  const document = subgraph === deps.own.name ? withPermissions(read.document) : read.document;
  const hash = sdlHash(document);
  const url = input.url ?? before?.url ?? (before ? null : await urlOfInstance(deps, subgraph));
  if (before?.hash === hash && before.url === url) {
    return { ...nothing, hash, unchanged: true, problems: [], next: undefined };
  }
  const subgraphs = [
    ...base.subgraphs.filter(({ name }) => name !== subgraph),
    { name: subgraph, hash, url, document },
  ];
  const composition = await compose(subgraphs);
  if ('problems' in composition) {
    return { ...nothing, hash, unchanged: false, problems: composition.problems, next: undefined };
  }
  const { supergraphSdl, hints } = composition;
  const seen = await whatCallersSee(base.supergraphSdl, supergraphSdl, input.operations ?? []);
  const next = { supergraphSdl, sdl: print(document), subgraphs: subgraphs.map(published).sort(byName) };
  return { ...nothing, hash, unchanged: false, problems: [], hints, ...seen, next };
}

/** @throws INPUT_INVALID */
function checked(input: SchemaInput): SchemaInput {
  if (!NAME.test(input.subgraph))
    throw argumentInvalid('subgraph', 'may have a-z, 0-9 and -, and begins with a letter');
  if (input.url != null && !(URL.canParse(input.url) && /^https?:$/.test(new URL(input.url).protocol))) {
    throw argumentInvalid('url', 'must be an http or https address');
  }
  if ((input.operations?.length ?? 0) > MOST_OPERATIONS) {
    throw argumentInvalid('operations', `may be ${MOST_OPERATIONS} at most`);
  }
  return input;
}

/** What is served, or what this release would serve. */
async function baseOf({ pool, own }: RegistryDeps): Promise<Base> {
  const live = await readSupergraph(pool);
  if (live !== null) {
    const subgraphs = await Promise.all(
      live.subgraphs.map(async (one) => {
        const sdl = await readSubgraphSdl(pool, one.name, one.hash);
        if (sdl === null) throw new AppError('INTERNAL', { detail: `the SDL of ${one.name} is not stored` });
        return { ...one, document: parse(sdl) };
      }),
    );
    return { version: live.version, supergraphSdl: live.supergraphSdl, subgraphs };
  }
  const { name, document } = own;
  const subgraphs = [{ name, url: null, hash: sdlHash(document), document: parse(print(document)) }];
  const composition = await compose(subgraphs);
  if ('problems' in composition) {
    throw new AppError('SCHEMA_INVALID', { count: composition.problems.length, problems: composition.problems });
  }
  return { version: 0, supergraphSdl: composition.supergraphSdl, subgraphs };
}

/** What gateways serve as long as nothing has been published, as if it were version 0. */
export async function releasedSupergraph(deps: RegistryDeps): Promise<StoredSupergraph> {
  const { supergraphSdl, subgraphs } = await baseOf(deps);
  return {
    ...{ version: 0, hash: sha256(supergraphSdl), supergraphSdl, subgraph: deps.own.name, kind: 'seed' },
    subgraphs: subgraphs.map((one) => ({ ...published(one), sdl: print(one.document) })),
    ...{ rolledBackTo: null, changes: [], forced: false, note: null, publishedBy: null, publishedAt: new Date() },
  };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function seedOf({ supergraphSdl, subgraphs: [own] }: Base): Judgement['seed'] {
  return own && { supergraphSdl, subgraph: published(own), sdl: print(own.document) };
}

const published = ({ name, hash, url }: PublishedSubgraph): PublishedSubgraph => ({ name, hash, url });
const byName = (left: PublishedSubgraph, right: PublishedSubgraph) => (left.name < right.name ? -1 : 1);

/** Composition is large, and most processes never need it. */
async function compose(subgraphs: Base['subgraphs']): Promise<Composition> {
  const { composeSubgraphs } = await import('../../adapters/federation/compose-subgraphs.ts');
  return composeSubgraphs(subgraphs);
}

async function whatCallersSee(before: string, after: string, operations: readonly string[]) {
  const { brokenOperations, publicSchema, schemaChanges } = await import('../../adapters/federation/schema-changes.ts');
  const [old, next] = [publicSchema(before), publicSchema(after)];
  const documents = operations.map((text, index) => ({ name: `${index + 1}`, document: parsedOperation(text, index) }));
  return { changes: await schemaChanges(old, next), brokenOperations: brokenOperations(old, next, documents) };
}

function parsedOperation(text: string, index: number): DocumentNode {
  try {
    return parse(text, { noLocation: true, maxTokens: 50_000 });
  } catch (error) {
    if (error instanceof GraphQLError)
      throw argumentInvalid('operations', `has no document at ${index + 1}: ${error.message}`);
    throw error;
  }
}

/** The permissions of our own operations are in the code; whoever writes others says so in the SDL. */
function withPermissions(document: DocumentNode): DocumentNode {
  return /@(\w+__)?(requiresScopes|authenticated)\b/.test(print(document))
    ? document
    : declarePermissions(document, 'leave');
}

async function urlOfInstance({ pool }: RegistryDeps, subgraph: string): Promise<string> {
  const url = (await listInstances(pool)).find((one) => one.subgraph === subgraph && one.url !== null)?.url;
  if (url == null) throw argumentInvalid('url', 'is needed: no process serves this subgraph yet');
  return url;
}
