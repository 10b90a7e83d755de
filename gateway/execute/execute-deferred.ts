import type { DeferredPart, PlanStep } from './compile-plan.ts';
import { compilePartShape, type DeniedFields } from './compile-shape.ts';
import type { Cursor, ObjectPath } from './cursor.ts';
import { placesAt, typeAt } from './deferred-places.ts';
import {
  completeResponse,
  type ExecutionInput,
  type ExecutionResult,
  shapedResult,
  shapingOf,
} from './execute-operation.ts';
import type { JsonObject } from './json-value.ts';
import { createPartQueue, type PartQueue } from './part-queue.ts';
import type { PreparedOperation } from './prepare-operation.ts';
import type { Execution } from './run-fetch.ts';
import { runPlan } from './run-plan.ts';
import { shapeResponse } from './shape-response.ts';

export type IncrementalPart = ExecutionResult & { path: ObjectPath; label?: string };
export type IncrementalPayload = (ExecutionResult | { incremental?: IncrementalPart[] }) & { hasNext: boolean };

type DeferStep = Extract<PlanStep, { kind: 'defer' }>;
type Deferral<Context> = {
  prepared: PreparedOperation;
  run: Execution<Context>;
  cursor: Cursor;
  queue: PartQueue<IncrementalPart>;
  /** What the caller has been told first. */
  told: JsonObject | null;
};

/** Gives what is not deferred first, and every deferred part as soon as it is there. */
export async function* executeDeferred<Context>(
  prepared: PreparedOperation,
  input: ExecutionInput<Context>,
): AsyncGenerator<IncrementalPayload> {
  const conditions = prepared.conditionsOf(input.variables);
  const root: JsonObject = {};
  const cursor: Cursor = { path: [], objects: [root], root };
  const run: Execution<Context> = { ...input, conditions, isOfType: prepared.federation.isOfType, errors: [] };
  const step = branchOf(prepared.step, conditions);
  if (step?.kind !== 'defer') {
    if (step !== null) await runPlan(step, cursor, run);
    yield { ...completeResponse(prepared, root, run), hasNext: false };
    return;
  }
  const deferral: Deferral<Context> = { prepared, run, cursor, queue: createPartQueue(), told: null };
  const { over, release } = runPrimary(step, deferral);
  await over;
  const [initial = {}] = shaped(step.subselection, [], run.errors, deferral);
  const { path: _root, ...result } = initial as IncrementalPart;
  const goesOn = result.data != null && deferral.queue.pending() > 0;
  yield { ...result, hasNext: goesOn };
  if (!goesOn) return;
  deferral.told = result.data ?? null;
  release();
  for await (const { parts, last } of deferral.queue.batches()) {
    yield { ...(parts.length > 0 && { incremental: parts }), hasNext: !last };
  }
}

function branchOf(step: PlanStep | null, conditions: Readonly<Record<string, unknown>>): PlanStep | null {
  if (step?.kind !== 'condition') return step;
  return branchOf(conditions[step.variable] === true ? step.yes : step.no, conditions);
}

/** Runs what is not deferred, and beside it each part whose fetches are done; parts are given once they are released. */
function runPrimary<Context>(step: DeferStep, deferral: Deferral<Context>) {
  const fetched = new Map<string, PromiseWithResolvers<void>>();
  const gate = (id: string) => {
    const known = fetched.get(id) ?? Promise.withResolvers<void>();
    fetched.set(id, known);
    return known;
  };
  const released = Promise.withResolvers<void>();
  const run = { ...deferral.run, onFetched: (id: string) => gate(id).resolve() };
  const over = step.primary === null ? Promise.resolve() : runPlan(step.primary, deferral.cursor, run);
  for (const part of step.parts) {
    // A fetch that a condition leaves out never ends: the end of all stands for it.
    const ready = Promise.all(part.dependsOn.map((id) => Promise.race([gate(id).promise, over])));
    deferral.queue.add(runPart(part, ready, released.promise, deferral));
  }
  return { over, release: () => released.resolve() };
}

async function runPart<Context>(
  part: DeferredPart,
  ready: Promise<unknown>,
  released: Promise<void>,
  deferral: Deferral<Context>,
): Promise<readonly IncrementalPart[]> {
  await ready;
  const errors: unknown[] = [];
  const own: Deferral<Context> = { ...deferral, run: { ...deferral.run, errors } };
  const step = branchOf(part.step, own.run.conditions);
  const label = part.label === undefined ? {} : { label: part.label };
  const give = (subselection: string | undefined): IncrementalPart[] => {
    const parts = shaped(subselection, part.queryPath, errors, { ...own, told: deferral.told });
    return parts.map((one) => ({ ...one, ...label }));
  };
  if (step?.kind !== 'defer') {
    if (step !== null) await runPlan(step, own.cursor, own.run);
    await released;
    return give(part.subselection);
  }
  const { over, release } = runPrimary(step, own);
  await over;
  await released;
  const parts = give(step.subselection);
  release();
  return parts;
}

/** A part at each of its places; errors go with the first. */
function shaped<Context>(
  subselection: string | undefined,
  queryPath: readonly string[],
  errors: readonly unknown[],
  { prepared, run, cursor, told }: Deferral<Context>,
): IncrementalPart[] {
  const places = placesAt(cursor.root, queryPath, told, run.isOfType);
  if (subselection === undefined) return queryPath.length > 0 ? [] : [{ ...shapedResult(errors, empty), path: [] }];
  const { federation, operation, fragments } = prepared;
  const source = { schema: federation.schema, operation, fragments, conditions: run.conditions, denied: NONE };
  const shape = compilePartShape(source, typeAt(prepared, queryPath), subselection);
  return places.map(({ object, path }, index) => {
    const of = () => shapeResponse(shape, object, shapingOf(prepared, run), path);
    return { ...shapedResult(index === 0 ? errors : [], of), path };
  });
}

const empty = () => ({ data: {}, errors: [], refusals: [] });
/** What is denied is not deferred: such operations are answered at once. */
const NONE: DeniedFields = new Set();
