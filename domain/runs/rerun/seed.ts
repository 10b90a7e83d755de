import type { Json, JsonObject } from '../../json.ts';
import type { Iteration } from '../activity-id.ts';
import type { RunError } from '../run-event.ts';

/** What an execution of another run came to. */
export type SeedResult = {
  /** The run that did the work; null where somebody gave it. */
  readonly runId: string | null;
  readonly status: 'COMPLETED' | 'FAILED' | 'SKIPPED';
  readonly output: Json;
  readonly port: string | null;
  readonly error: RunError | null;
  readonly handled: boolean;
  /** Variables that were written inside of it; null where none were. */
  readonly variables: JsonObject | null;
};

/** Taken by an execution that would ask for the same; each is taken once. */
export type KnownResult = SeedResult & { readonly iteration: Iteration; readonly key: string };

/** Results of an earlier run with which a run begins. */
export type Seed = {
  /** By node id, of nodes of the workflow's own body: taken whatever the node would ask for. */
  readonly fixed: { readonly [nodeId: string]: SeedResult };
  /** Known results are for the same execution alone, as where nodes were named that run again. */
  readonly inPlace: boolean;
  /** By node id, with the key of what was asked for. */
  readonly known: { readonly [nodeId: string]: readonly KnownResult[] };
  /** Whether undos of what is taken over stand by: the earlier run ended without undoing it. */
  readonly undos: boolean;
  /** Of a counterfactual run: nothing but these nodes works outside of the engine, everything else answers as it did. */
  readonly rehearsal?: Rehearsal;
  /** First values of variables, instead of those of the definition. */
  readonly variables?: JsonObject;
};

export type Rehearsal = {
  /** Run when they would ask for something else than they did. */
  readonly live: readonly string[];
  /** Run in any case. */
  readonly again: readonly string[];
};
