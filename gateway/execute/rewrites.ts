import type { FetchDataRewrite } from '@apollo/query-planner';
import { isJsonObject, type JsonObject, ownValue, setOwn } from './json-value.ts';
import type { TypeTest } from './type-conditions.ts';

const FRAGMENT_PREFIX = '... on ';

export type Rewrite = { steps: readonly PathStep[]; name: string } & ({ setTo: unknown } | { renameTo: string });
type PathStep = { field: string } | { type: string };

export function compileRewrites(rewrites: readonly FetchDataRewrite[] | undefined): readonly Rewrite[] | null {
  if (rewrites === undefined || rewrites.length === 0) return null;
  return rewrites.map((rewrite) => {
    const name = rewrite.path.at(-1) ?? '';
    const steps = rewrite.path.slice(0, -1).map(pathStep);
    return rewrite.kind === 'ValueSetter'
      ? { steps, name, setTo: rewrite.setValueTo as unknown }
      : { steps, name, renameTo: rewrite.renameKeyTo };
  });
}

function pathStep(part: string): PathStep {
  return part.startsWith(FRAGMENT_PREFIX) ? { type: part.slice(FRAGMENT_PREFIX.length) } : { field: part };
}

export function applyRewrites(rewrites: readonly Rewrite[] | null, value: unknown, isOfType: TypeTest): void {
  for (const rewrite of rewrites ?? []) applyAt(rewrite, 0, value, isOfType);
}

function applyAt(rewrite: Rewrite, at: number, value: unknown, isOfType: TypeTest): void {
  if (Array.isArray(value)) {
    for (const item of value) applyAt(rewrite, at, item, isOfType);
    return;
  }
  if (!isJsonObject(value)) return;
  const step = rewrite.steps[at];
  if (step === undefined) applyHere(rewrite, value);
  else if ('field' in step) applyAt(rewrite, at + 1, ownValue(value, step.field), isOfType);
  else if (isObjectOfType(value, step.type, isOfType)) applyAt(rewrite, at + 1, value, isOfType);
}

/** An object without a type name is taken for one of the type. */
function isObjectOfType(value: JsonObject, type: string, isOfType: TypeTest): boolean {
  const typename = value['__typename'];
  return !typename || isOfType(String(typename), type);
}

function applyHere(rewrite: Rewrite, object: JsonObject): void {
  if ('setTo' in rewrite) return setOwn(object, rewrite.name, rewrite.setTo);
  const value = ownValue(object, rewrite.name);
  if (!value) return;
  setOwn(object, rewrite.renameTo, value);
  object[rewrite.name] = undefined;
}
