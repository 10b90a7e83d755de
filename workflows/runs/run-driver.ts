import { CancellationScope, isCancellation, proxySinks, type Sinks, sleep, workflowInfo } from '@temporalio/workflow';
import { AppError } from '../../domain/errors.ts';
import type { NodeId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { activityId } from '../../domain/runs/activity-id.ts';
import type { CompiledDefinition, CompiledNode } from '../../domain/runs/compile.ts';
import { type Command, decide } from '../../domain/runs/decide.ts';
import { evolve } from '../../domain/runs/evolve.ts';
import { type ChildResult, type RunArguments, YIELD_TIMER } from '../../domain/runs/messages.ts';
import { findNode } from '../../domain/runs/place.ts';
import type { RunEvent } from '../../domain/runs/run-event.ts';
import { groupInput } from '../../domain/runs/run-group.ts';
import { initialState, type RunState, type Slice } from '../../domain/runs/run-state.ts';
import { migratedState } from '../../domain/runs/versions/check-migration.ts';
import { activityError, parkedActivity } from './activity-error.ts';
import { activityOf, childResultActivity, groupActivity, undoActivityOf } from './activity-of.ts';
import { childError } from './child-error.ts';
import { childIdOf, startChildRun } from './child-of.ts';
import type { Migration } from './migration.ts';
import { createStatusDisplay } from './show-status.ts';

/** Tells the projector that this run has moved; carries nothing, so a lost or repeated one does no harm. */
export interface HintSinks extends Sinks {
  hints: { progressed(): void };
}
const { hints } = proxySinks<HintSinks>();
const HINT_EVERY_MS = 1_000;
const DEFAULT_LINK_EVENTS = 2_000;
/** A link that waits for items of a map may grow longer; the server ends one at 51,200 events or 50 MB. */
const PATIENCE = 5;
const PATIENT_BYTES = 20 * 1024 * 1024;

export type Ending = Command | { type: 'continueAsNew'; state: RunState; migration: Migration | null };
type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>;

export type DriverOptions = {
  interpreterVersion: number;
  slice: Slice | null;
  /** State of the link before this one. */
  continued: RunState | null;
  end: (ending: Ending) => void;
};

/** Turns the engine's commands into Temporal's and Temporal's results into events. */
export class RunDriver {
  state: RunState;
  readonly #compiled: CompiledDefinition;
  readonly #options: DriverOptions;
  readonly #work: CancellationScope;
  #shieldScope: CancellationScope | null = null;
  readonly #timers = new Map<string, CancellationScope>();
  readonly #groups = new Set<string>();
  /** Child runs under way, so that a node that is skipped is stopped; an activity's scope would cost a tenth of a step. */
  readonly #running = new Map<string, CancellationScope>();
  readonly #show: (state: RunState) => void;
  /** Activities, groups and slices whose end this link has to wait for before another may follow. */
  #underWay = 0;
  /** Those of them that are items of a map. */
  #slices = 0;
  #stopped = false;
  #migration: Migration | null = null;
  #ended = false;
  /** Whoever starts a run hints at it. */
  #hintedAt = Date.now();

  constructor(compiled: CompiledDefinition, options: DriverOptions) {
    this.#compiled = compiled;
    this.#options = options;
    const root = CancellationScope.current();
    // Each scope costs a millisecond; one of its own is needed where work is cancelled and the run is not.
    this.#work =
      this.#legacy || compiled.definition.policies?.onNodeFailure !== 'cancel'
        ? root
        : new CancellationScope({ cancellable: true, parent: root });
    this.#show = createStatusDisplay(this.#legacy);
    this.state = options.continued ?? initialState(compiled, options.slice);
  }

  /** Version 1 ends a cancelled run at once, and knows neither fused nodes nor undos. */
  get #legacy(): boolean {
    return this.#options.interpreterVersion < 2;
  }

  /** What a cancelled run still has to do is not cancelled with it. */
  get #shield(): CancellationScope {
    this.#shieldScope ??= new CancellationScope({ cancellable: false });
    return this.#shieldScope;
  }

  start({ input, webhooks, seed, forked }: RunArguments): void {
    if (this.state.status !== 'PENDING') return this.inside(() => this.#act());
    const given = {
      ...(webhooks === undefined ? {} : { webhooks }),
      ...(seed === undefined ? {} : { seed }),
      ...(forked === undefined ? {} : { forked }),
    };
    this.inside(() => this.#advance({ type: 'run.started', at: Date.now(), input, ...given }));
  }

  /** For what comes from outside: it must not run in the scope of its handler, which cancels with the run. */
  receive(event: RunEvent): void {
    this.inside(() => this.#advance(event));
  }

  inside(act: () => void): void {
    if (this.#legacy || CancellationScope.current() === this.#work) return act();
    void this.#work.run(() => {
      act();
      return Promise.resolve();
    });
  }

  #apply(event: RunEvent): void {
    this.state = evolve(this.#compiled, this.state, event);
  }

  #advance(event: RunEvent): void {
    if (this.#ended) return;
    this.#apply(event);
    if (event.type === 'node.skip_requested') this.#cancelSkipped();
    this.#act();
  }

  #act(): void {
    const legacy = this.#legacy && this.#legacyEnding();
    if (legacy) return this.#end(legacy);
    this.#cancelTimers();
    this.#stopWork();
    const draining = this.#mustContinue();
    for (const command of decide(this.#compiled, this.state)) this.#execute(command, draining);
    if (draining && this.#underWay === 0 && !this.#ended) this.#continueAsNew();
    this.#show(this.state);
    this.#hint();
  }

  #legacyEnding(): Command | null {
    if (this.state.cancelRequested) return { type: 'cancelRun' };
    return this.state.doomed ? { type: 'failRun', error: this.state.doomed } : null;
  }

  #execute(command: Command, draining: boolean): void {
    switch (command.type) {
      case 'completeRun':
      case 'failRun':
      case 'cancelRun':
        return this.#end(command);
      default:
        if (draining) return;
    }
    switch (command.type) {
      case 'runGroup':
        return this.#legacy ? this.#runActivity(command) : this.#runGroup(command);
      case 'scheduleActivity':
        return this.#runActivity(command);
      case 'startChild':
        return this.#startChild(command);
      case 'watchChild':
        return this.#watchChild(command);
      case 'scheduleUndo':
        return this.#runUndo(command);
      case 'startTimer':
        void this.#runTimer(command.nodeId, command.iteration, command.durationMs);
        return;
      case 'yield':
        return this.#yield();
    }
  }

  #end(ending: Ending): void {
    this.#ended = true;
    this.#options.end(ending);
  }

  /** The history of this link is long enough; what is under way is waited for, nothing new begins. */
  #mustContinue(): boolean {
    if (this.#legacy) return false;
    if (this.#migration) return true;
    const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
    const limit = this.#compiled.definition.policies?.continueAsNewAfterEvents ?? DEFAULT_LINK_EVENTS;
    if (this.#slices === 0) return historyLength >= limit || continueAsNewSuggested;
    // Items may take days, and meanwhile nothing else of the run would begin.
    return historyLength >= limit * PATIENCE || historySize >= PATIENT_BYTES;
  }

  #continueAsNew(): void {
    const migration = this.#migration;
    const next = evolve(this.#compiled, this.state, { type: 'run.continued_as_new', at: Date.now() });
    try {
      this.state = migration ? migratedState(this.#compiled, migration.to, next, migration.request) : next;
    } catch (error) {
      // What ended meanwhile has no place in the other version: the run goes on in its own.
      this.#migration = null;
      migration?.refused(error);
      return this.#act();
    }
    this.#end({ type: 'continueAsNew', state: this.state, migration });
    migration?.done();
  }

  /** @throws AppError MIGRATION_REFUSED */
  assertCanMigrate({ to, request }: Pick<Migration, 'to' | 'request'>): void {
    const refuse = (detail: string) =>
      new AppError('MIGRATION_REFUSED', { version: request.version, detail, problems: [] });
    if (this.#legacy) throw refuse('it began under an interpreter that does not continue as new');
    if (this.#migration) throw refuse('it is on its way to another version already');
    migratedState(this.#compiled, to, this.state, request);
  }

  /** As soon as nothing of this link is under way the run goes on in the other version. */
  migrate(migration: Migration): void {
    this.#migration = migration;
    if (this.state.status !== 'PENDING') this.inside(() => this.#act());
  }

  /** Callbacks, not await, and few frames: the SDK maps a stack trace for every promise, which is most of what a step costs. */
  #runActivity({ nodeId, iteration }: { nodeId: NodeId; iteration: string }): void {
    this.#apply({ type: 'node.scheduled', at: Date.now(), nodeId, iteration });
    const input = findNode(this.#compiled, this.state, nodeId, iteration)?.input ?? null;
    this.#underWay += 1;
    const activity = activityOf(this.#node(nodeId), iteration, this.#legacy);
    activity(input).then(
      (output) => this.#over({ type: 'node.completed', at: Date.now(), nodeId, iteration, output: output ?? null }),
      (error: unknown) => this.#over(failedEvent(error, nodeId, iteration)),
    );
  }

  #cancellable<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#legacy) return work();
    const scope = new CancellationScope();
    this.#running.set(key, scope);
    return scope.run(work);
  }

  #cancelSkipped(): void {
    for (const [key, scope] of this.#running) {
      const [nodeId = '', iteration = ''] = key.split('#');
      if (findNode(this.#compiled, this.state, nodeId, iteration)?.status === 'SKIPPED') scope.cancel();
    }
  }

  /** Something that was under way has ended. */
  #over(event: Extract<RunEvent, { nodeId: string }>, counted = 1): void {
    this.#underWay -= counted;
    this.#running.delete(activityId(event.nodeId, event.iteration ?? ''));
    this.#advance(event);
  }

  #runUndo({ undo }: CommandOf<'scheduleUndo'>): void {
    const { id: nodeId, iteration } = undo;
    this.#apply({ type: 'node.scheduled', at: Date.now(), nodeId, iteration });
    this.#underWay += 1;
    const running = this.#shield.run(() => undoActivityOf(undo)(undo.input));
    running.then(
      (output) => this.#over({ type: 'node.completed', at: Date.now(), nodeId, iteration, output: output ?? null }),
      (error: unknown) => this.#over(failedEvent(error, nodeId, iteration)),
    );
  }

  #runGroup(group: CommandOf<'runGroup'>): void {
    const { nodeId, iteration, members } = group;
    const key = activityId(nodeId, iteration);
    if (this.#groups.has(key)) return;
    this.#groups.add(key);
    this.#underWay += 1;
    const over = (event: Extract<RunEvent, { nodeId: string }>) => {
      this.#groups.delete(key);
      this.#over(event);
    };
    groupActivity(members)(groupInput(this.#compiled, this.state, group)).then(
      ({ results }) => over({ type: 'group.completed', at: Date.now(), nodeId, iteration, results }),
      () => over({ type: 'group.failed', at: Date.now(), nodeId, iteration }),
    );
  }

  #startChild(command: CommandOf<'startChild'>): void {
    const { nodeId, iteration, chunk } = command;
    const ref = { nodeId, iteration, chunk };
    const begin = () => startChildRun(this.#compiled, this.state, command);
    const starting = chunk === null ? this.#cancellable(activityId(nodeId, iteration), begin) : begin();
    this.#apply({ type: 'child.scheduled', at: Date.now(), ...ref, runId: childIdOf(command) });
    const counted = chunk === null ? 0 : 1;
    this.#underWay += counted;
    this.#slices += counted;
    const over = (event: Extract<RunEvent, { nodeId: string }>) => {
      this.#slices -= counted;
      this.#over(event, counted);
    };
    starting
      .then((handle) => {
        this.#advance({ type: 'child.started', at: Date.now(), ...ref });
        return handle.result();
      })
      .then(
        (result) => over({ type: 'child.completed', at: Date.now(), ...ref, output: result as unknown as Json }),
        (error: unknown) => over({ type: 'child.failed', at: Date.now(), ...ref, error: childError(error, nodeId) }),
      );
  }

  /** Not counted as under way: the next link does the same again. */
  #watchChild({ nodeId, iteration }: CommandOf<'watchChild'>): void {
    this.#apply({ type: 'node.scheduled', at: Date.now(), nodeId, iteration });
    childResultActivity(
      nodeId,
      iteration,
    )({ runId: childIdOf({ nodeId, iteration, chunk: null }) }).then(
      (output) => this.#advance({ type: 'node.completed', at: Date.now(), nodeId, iteration, output }),
      (error: unknown) => this.#advance(failedEvent(error, nodeId, iteration)),
    );
  }

  #yield(): void {
    this.#apply({ type: 'run.yielded', at: Date.now() });
    const ticking = this.#shield.run(() => sleep(1, { summary: YIELD_TIMER }));
    void ticking.then(() => this.#advance({ type: 'run.ticked', at: Date.now() }));
  }

  async #runTimer(nodeId: NodeId, iteration: string, durationMs: number): Promise<void> {
    this.#apply({ type: 'timer.started', at: Date.now(), nodeId, iteration });
    const key = activityId(nodeId, iteration);
    const scope = new CancellationScope();
    this.#timers.set(key, scope);
    try {
      await scope.run(() => sleep(durationMs, { summary: key }));
    } catch (error) {
      if (isCancellation(error)) return;
      throw error;
    }
    this.#timers.delete(key);
    this.#advance({ type: 'timer.fired', at: Date.now(), nodeId, iteration });
  }

  /** Of nodes that wait no longer. Before new commands, as it stands in histories. */
  #cancelTimers(): void {
    for (const [key, scope] of this.#timers) {
      const [nodeId = '', iteration = ''] = key.split('#');
      if (findNode(this.#compiled, this.state, nodeId, iteration)?.status === 'WAITING') continue;
      this.#timers.delete(key);
      scope.cancel();
    }
  }

  /** Activities and child runs of a run that is to end are asked to stop; how they end is waited for. */
  #stopWork(): void {
    if (this.#legacy || this.#stopped || (!this.state.cancelRequested && !this.state.doomed)) return;
    this.#stopped = true;
    this.#work.cancel();
  }

  /** The projector follows a run for two seconds after its last news, so a busy run need not call on every step. */
  #hint(): void {
    if (Date.now() - this.#hintedAt < HINT_EVERY_MS) return;
    this.#hintedAt = Date.now();
    hints.progressed();
  }

  #node(nodeId: string): CompiledNode {
    return this.#compiled.nodes[this.#compiled.indexOf.get(nodeId) ?? -1] as CompiledNode;
  }

  /** What a parent run is told. */
  childResult(output: Json): ChildResult {
    return { output, undos: this.state.undos };
  }
}

function failedEvent(error: unknown, nodeId: NodeId, iteration: string): Extract<RunEvent, { nodeId: string }> {
  const at = Date.now();
  if (isCancellation(error)) return { type: 'node.cancelled', at, nodeId, iteration };
  const until = parkedActivity(error);
  return {
    ...(until === null ? { type: 'node.failed' as const } : { type: 'node.parked' as const, until }),
    ...{ at, nodeId, iteration, error: activityError(error, nodeId) },
  };
}
