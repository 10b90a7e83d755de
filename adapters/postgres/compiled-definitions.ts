import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import { type CompiledDefinition, compileDefinition } from '../../domain/runs/compile.ts';
import { readDefinitionByHash } from './definition-store.ts';
import type { Queryable } from './payload-store.ts';

/** Definitions ready to fold with; each is read once. */
export type CompiledDefinitions = {
  /** @throws NOT_FOUND */
  read: (hash: string) => Promise<CompiledDefinition>;
  /** One that was read before. */
  known: (hash: string) => CompiledDefinition | undefined;
  /** Of one that these have given. */
  hashOf: (definition: CompiledDefinition) => string | undefined;
};

/** What others have compiled before, by hash; a definition never changes. */
export type SharedDefinitions = {
  get: (hash: string) => CompiledDefinition | undefined;
  set: (hash: string, definition: CompiledDefinition) => unknown;
};

export function createCompiledDefinitions(
  pool: Queryable,
  shared: SharedDefinitions = new Map<string, CompiledDefinition>(),
): CompiledDefinitions {
  const compiled = new Map<string, CompiledDefinition>();
  const reading = new Map<string, Promise<CompiledDefinition>>();
  const read = async (hash: string) => {
    const definition = shared.get(hash) ?? (await readAndCompile(pool, hash));
    shared.set(hash, definition);
    compiled.set(hash, definition);
    return definition;
  };
  return {
    known: (hash) => compiled.get(hash),
    hashOf: (definition) => [...compiled].find(([, one]) => one === definition)?.[0],
    read: (hash) => {
      const found = reading.get(hash) ?? read(hash).finally(() => void (compiled.has(hash) || reading.delete(hash)));
      reading.set(hash, found);
      return found;
    },
  };
}

async function readAndCompile(pool: Queryable, hash: string): Promise<CompiledDefinition> {
  const published = await readDefinitionByHash(pool, definitionHash(hash));
  if (!published) throw new AppError('NOT_FOUND', { what: 'Definition', id: hash });
  return compileDefinition(published.definition);
}
