import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Change } from './change.ts';
import { variablesBefore } from './flow.ts';
import { bodyResult, insideOf } from './body.ts';
import { hasInlineBody } from './inline-body.ts';
import { LIMITS } from './limits.ts';
import type { Place } from './place.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { ContainerState } from './run-state.ts';

type MapState = Extract<ContainerState, { kind: 'map' }>;
const DEFAULT_CONCURRENCY = 10;
const DEFAULT_CHUNK = 50;

/** Few items, and those that only compute, run inside the run; many others as child runs in a sliding window. */
export function openMap(change: Change, place: Place, input: JsonObject): void {
  const items = input['items'];
  if (!Array.isArray(items)) {
    const detail = `gave ${typeof items === 'object' ? 'an object' : JSON.stringify(items)}, not a list`;
    throw new AppError('EXPRESSION_FAILED', { expression: place.node.config['items'], detail });
  }
  if (items.length > LIMITS.mapItems)
    throw new AppError('MAP_TOO_LARGE', { count: items.length, limit: LIMITS.mapItems });
  const inside = items.length <= LIMITS.inlineMapItems || hasInlineBody(change.compiled, place.node);
  const chunkSize = inside ? null : Number(input['chunkSize'] ?? DEFAULT_CHUNK);
  const chunks = chunkSize === null ? items.length : Math.ceil(items.length / chunkSize);
  const concurrency = Number(input['concurrency'] ?? DEFAULT_CONCURRENCY);
  begin(change, place, input, {
    kind: 'map',
    from: 0,
    count: chunks,
    next: 0,
    active: 0,
    concurrency: inside ? concurrency : Math.min(concurrency, LIMITS.mapWindow, chunks),
    chunkSize,
    results: items.map(() => null),
    failed: [],
  });
}

/** In a child run: the items that it was given, whatever their number. */
export function openSlice(change: Change, place: Place): void {
  const { slice } = change.state;
  if (slice === null) return;
  const { items, from, concurrency, onItemError } = slice;
  begin(
    change,
    place,
    { items, concurrency, onItemError },
    {
      kind: 'map',
      from,
      count: items.length,
      next: 0,
      active: 0,
      concurrency,
      chunkSize: null,
      results: items.map(() => null),
      failed: [],
    },
  );
}

function begin(change: Change, place: Place, input: JsonObject, container: MapState): void {
  change.set(place, { status: 'RUNNING', input, startedAt: change.at, container });
  change.step(place);
}

/** How many items one child run has under way at a time, so that all together have at most the map's concurrency. */
export function concurrencyOfChunk(input: Json, window: number): number {
  const asked = Number((input as JsonObject)['concurrency'] ?? DEFAULT_CONCURRENCY);
  return Math.max(1, Math.floor(asked / Math.max(1, window)));
}

/** No further item begins after a failure that fails the map. */
export const stopsAtFailure = (input: Json, container: MapState): boolean =>
  container.failed.length > 0 && (input as JsonObject)['onItemError'] !== 'continue';

export function stepMap(change: Change, place: Place, container: MapState): void {
  const { input } = change.get(place);
  const stopped = change.closing || stopsAtFailure(input, container);
  if (container.active === 0 && (stopped || container.next >= container.count))
    return finishMap(change, place, container);
  if (stopped || container.next >= container.count || container.active >= container.concurrency) {
    if (container.chunkSize !== null) change.set(place, { due: false });
    return;
  }
  if (container.chunkSize !== null) return change.set(place, { due: true });
  const position = container.next;
  const index = container.from + position;
  const items = (input as JsonObject)['items'] as Json[];
  change.set(place, { container: { ...container, next: position + 1, active: container.active + 1 } });
  change.openScope(
    place,
    index,
    insideOf(place, index),
    { item: items[position] as Json, index },
    variablesBefore(change, place),
  );
  change.step(place);
}

export function finishItem(
  change: Change,
  place: Place,
  container: MapState,
  key: string,
  failure: RunError | null,
): void {
  const index = change.scope(key)?.index ?? 0;
  let error = failure;
  const results = change.owned(container.results);
  if (error === null && !change.closing) {
    try {
      results[index - container.from] = bodyResult(change, place, key);
    } catch (caught) {
      error = toRunError(caught, place.node.id);
    }
  }
  change.closeScope(key);
  const failed = error === null ? container.failed : [...container.failed, { index, error }];
  change.set(place, { container: { ...container, active: container.active - 1, results, failed } });
  change.step(place);
}

/** A chunk has begun as a child run. */
export function chunkScheduled(change: Change, place: Place, chunk: number): void {
  const { container } = change.get(place);
  if (container?.kind !== 'map' || chunk < container.next) return;
  change.set(place, { container: { ...container, next: chunk + 1, active: container.active + 1 } });
  change.step(place);
}

/** A child run has done its items: {results, failed} of a slice. */
export function chunkCompleted(change: Change, place: Place, chunk: number, output: Json): void {
  const { container } = change.get(place);
  if (container?.kind !== 'map' || container.chunkSize === null) return;
  const given = output as { results: Json[]; failed: { index: number; error: RunError }[] };
  const results = [...container.results];
  results.splice(chunk * container.chunkSize, given.results.length, ...given.results);
  const failed = [...container.failed, ...given.failed];
  change.set(place, { container: { ...container, active: container.active - 1, results, failed } });
  change.step(place);
}

export function chunkFailed(change: Change, place: Place, chunk: number, error: RunError): void {
  const { container } = change.get(place);
  if (container?.kind !== 'map' || container.chunkSize === null) return;
  const failed = [...container.failed, { index: chunk * container.chunkSize, error }];
  change.set(place, { container: { ...container, active: container.active - 1, failed } });
  change.step(place);
}

/** Items begin in order and those under way are waited for, so the first failure by index does not depend on timing. */
function finishMap(change: Change, place: Place, container: MapState): void {
  if (change.closing) return change.cancel(place);
  const { input } = change.get(place);
  const failed = container.failed.toSorted((left, right) => left.index - right.index);
  const [first] = failed;
  if (first && (input as JsonObject)['onItemError'] !== 'continue') {
    return change.fail(place, { ...first.error, message: `Item ${first.index}: ${first.error.message}` });
  }
  change.completeContainer(place, { output: { results: [...container.results], failed }, port: null }, null);
}
