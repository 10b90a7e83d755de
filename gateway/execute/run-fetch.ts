import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Caller } from '../access-policies.ts';
import { type CachePolicy, UNCACHEABLE } from '../cache/cache-policy.ts';
import { askedHash } from '../cache/entity-cache.ts';
import type { FetchStep } from './compile-plan.ts';
import { type Cursor, objectPaths } from './cursor.ts';
import { copyJson, isJsonObject, type JsonObject } from './json-value.ts';
import { type Keeping, withKept } from './kept-entities.ts';
import { mergeAnswer } from './merge-answer.ts';
import { representationOf } from './representation.ts';
import { applyRewrites } from './rewrites.ts';
import type { SubgraphAnswer, SubgraphSources } from './subgraph-answer.ts';
import { subgraphError } from './subgraph-error.ts';
import type { TypeTest } from './type-conditions.ts';

export type Execution<Context> = {
  sources: SubgraphSources<Context>;
  context: Context;
  variables: Readonly<Record<string, unknown>>;
  /** The variables that conditions name, with their defaults. */
  conditions: Record<string, unknown>;
  isOfType: TypeTest;
  errors: unknown[];
  caller?: Caller | undefined;
  /** Undefined where no entities are kept. */
  keeping?: Keeping | undefined;
  /** Hears of each answer how long it may be kept. */
  onPolicy?: ((policy: CachePolicy) => void) | undefined;
  tellsNulls?: boolean | undefined;
  /** Hears of each fetch that deferred parts wait for, when it is over. */
  onFetched?: (id: string) => void;
};

export async function runFetch<Context>(step: FetchStep, cursor: Cursor, run: Execution<Context>): Promise<void> {
  if (cursor.objects.length === 0) return;
  try {
    if (step.requires === null) await fetchRoot(step, cursor, run);
    else await fetchEntities(step, cursor, run);
  } catch (error) {
    run.errors.push(error);
  } finally {
    if (step.id !== undefined) run.onFetched?.(step.id);
  }
}

async function fetchRoot<Context>(step: FetchStep, cursor: Cursor, run: Execution<Context>): Promise<void> {
  const answer = await send(step, variablesOf(step, run), run);
  for (const error of answer.errors ?? []) {
    run.errors.push(subgraphError(error, step.subgraph, error.path && [...cursor.path, ...error.path]));
  }
  const { data } = answer;
  if (!isJsonObject(data)) return;
  applyRewrites(step.outputRewrites, data, run.isOfType);
  const last = cursor.objects.length - 1;
  for (const [index, object] of cursor.objects.entries()) {
    mergeAnswer(object, index === last ? data : (copyJson(data) as JsonObject));
  }
}

/** The representations to send, each once, and which of them every object of the cursor is. */
type Wanted = {
  texts: string[];
  slots: number[];
  /** Whether several objects have the same representation. */
  repeats: boolean;
};

async function fetchEntities<Context>(step: FetchStep, cursor: Cursor, run: Execution<Context>): Promise<void> {
  const wanted = wantedEntities(step, cursor, run.isOfType);
  if (wanted.texts.length === 0) return;
  if (step.variables.includes('representations')) throw new Error('Variables cannot contain key "representations"');
  const variables = variablesOf(step, run);
  const answer = await askEntities(step, variables, wanted.texts, run);
  if (answer.errors !== undefined) pushEntityErrors(answer.errors, step, cursor, wanted, run.errors);
  if (!answer.data) return;
  const received = answer.data['_entities'];
  if (!Array.isArray(received)) throw new Error('Expected "data._entities" in response to be an array');
  if (received.length !== wanted.texts.length) {
    throw new Error(`Expected "data._entities" to contain ${wanted.texts.length} elements`);
  }
  mergeEntities(step, cursor, wanted, received, run.isOfType);
}

function askEntities<Context>(
  step: FetchStep,
  variables: string,
  representations: readonly string[],
  run: Execution<Context>,
): Promise<SubgraphAnswer> {
  const ask = (texts: readonly string[]) => {
    const list = `"representations":[${texts.join(',')}]`;
    return send(step, variables === '' ? list : `${variables},${list}`, run);
  };
  const { keeping, onPolicy } = run;
  if (keeping === undefined) return ask(representations);
  const asked = askedHash(step.subgraph, step.bodyHead, variables);
  return withKept(keeping, { asked, representations, ask, onPolicy });
}

function wantedEntities(step: FetchStep, { objects }: Cursor, isOfType: TypeTest): Wanted {
  const wanted: Wanted = { texts: [], slots: [], repeats: false };
  const byText = new Map<string, number>();
  const byObject = new Map<JsonObject, number>();
  for (const object of objects) {
    let slot = byObject.get(object);
    if (slot === undefined) {
      slot = slotOf(representationText(step, object, isOfType), byText, wanted);
      byObject.set(object, slot);
    }
    wanted.slots.push(slot);
  }
  return wanted;
}

const NO_SLOT = -1;

function slotOf(text: string | null, byText: Map<string, number>, wanted: Wanted): number {
  if (text === null) return NO_SLOT;
  const known = byText.get(text);
  if (known !== undefined) {
    wanted.repeats = true;
    return known;
  }
  const slot = wanted.texts.push(text) - 1;
  byText.set(text, slot);
  return slot;
}

function representationText(step: FetchStep, object: JsonObject, isOfType: TypeTest): string | null {
  const representation = representationOf(object, step.requires ?? [], isOfType);
  if (!representation?.['__typename']) return null;
  applyRewrites(step.inputRewrites, representation, isOfType);
  return JSON.stringify(representation);
}

function mergeEntities(
  step: FetchStep,
  { objects }: Cursor,
  { slots, repeats }: Wanted,
  received: readonly unknown[],
  isOfType: TypeTest,
): void {
  const merged = new Set<JsonObject>();
  const rewritten = step.inputRewrites !== null || step.outputRewrites !== null;
  const copies = repeats && (rewritten || !step.sharesAnswers);
  for (const [index, object] of objects.entries()) {
    const entity = received[slots[index] ?? NO_SLOT];
    if (!isJsonObject(entity) || merged.has(object)) continue;
    merged.add(object);
    const own = copies ? (copyJson(entity) as JsonObject) : entity;
    if (!own['__typename']) own['__typename'] = object['__typename'];
    applyRewrites(step.outputRewrites, own, isOfType);
    mergeAnswer(object, own);
  }
}

/** An error of one entity is one for each object that it was fetched for. */
function pushEntityErrors(
  errors: readonly GraphQLFormattedError[],
  step: FetchStep,
  cursor: Cursor,
  { slots }: Wanted,
  found: unknown[],
): void {
  const paths = objectPaths(cursor);
  for (const error of errors) {
    const slot = error.path?.[1];
    if (typeof slot !== 'number') {
      found.push(subgraphError(error, step.subgraph, error.path && [...cursor.path, ...error.path]));
      continue;
    }
    const inside = error.path?.slice(2) ?? [];
    for (const [index, one] of slots.entries()) {
      if (one === slot) found.push(subgraphError(error, step.subgraph, [...(paths[index] ?? []), ...inside]));
    }
  }
}

function variablesOf<Context>(step: FetchStep, { variables }: Execution<Context>): string {
  let text = '';
  for (const name of step.variables) {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined) text += `${text === '' ? '' : ','}"${name}":${jsonText(value)}`;
  }
  return text;
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new GraphQLError('The variables are nested too deeply', { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

async function send<Context>(step: FetchStep, variables: string, run: Execution<Context>): Promise<SubgraphAnswer> {
  const source = run.sources.get(step.subgraph);
  if (source === undefined) throw new Error(`Couldn't find service with name "${step.subgraph}"`);
  const answer = await source({ kind: step.operationKind, body: `${step.bodyHead}${variables}}}` }, run.context);
  run.onPolicy?.(answer.policy ?? UNCACHEABLE);
  return answer;
}
