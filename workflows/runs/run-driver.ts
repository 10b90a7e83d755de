import {
  CancellationScope,
  isCancellation,
  proxySinks,
  setCurrentDetails,
  type Sinks,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { NodeId } from '../../domain/identifiers.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { activityId } from '../../domain/runs/activity-id.ts';
import type { CompiledDefinition, CompiledNode } from '../../domain/runs/compile.ts';
import { type Command, decide } from '../../domain/runs/decide.ts';
import { evolve } from '../../domain/runs/evolve.ts';
import type { ApproveArguments } from '../../domain/runs/messages.ts';
import type { RunEvent } from '../../domain/runs/run-event.ts';
import { initialState, type NodeState, type RunState } from '../../domain/runs/run-state.ts';
import { activityError } from './activity-error.ts';
import { activityOf } from './activity-of.ts';

/** Tells the projector that this run has moved; carries nothing, so a lost or repeated one does no harm. */
export interface HintSinks extends Sinks {
  hints: { progressed(): void };
}
const { hints } = proxySinks<HintSinks>();
const HINT_EVERY_MS = 1_000;

/** Turns the engine's commands into Temporal's and Temporal's results into events. */
export class RunDriver {
  state: RunState;
  readonly #compiled: CompiledDefinition;
  readonly #close: (command: Command) => void;
  readonly #deadlines = new Map<string, number>();
  readonly #timers = new Map<string, CancellationScope>();
  #shownStatus = 'RUNNING';
  /** Whoever starts a run hints at it. */
  #hintedAt = Date.now();

  constructor(compiled: CompiledDefinition, close: (command: Command) => void) {
    this.#compiled = compiled;
    this.#close = close;
    this.state = initialState(compiled);
  }

  start(input: Json): void {
    this.#advance({ type: 'run.started', at: Date.now(), input });
  }

  requestCancel(): void {
    this.#advance({ type: 'run.cancel_requested', at: Date.now(), reason: null });
  }

  decideApproval(request: ApproveArguments): JsonObject {
    const { decision, comment, data, decidedBy } = request;
    const node = this.#node(request.nodeId);
    this.#timers.get(node.id)?.cancel();
    const { iteration } = this.#nodeState(node.id);
    this.#advance({
      type: 'approval.decided',
      at: Date.now(),
      nodeId: node.id,
      iteration,
      decision,
      comment,
      data,
      decidedBy,
    });
    return { nodeId: node.id, decision };
  }

  /** When the timer of a waiting node fires, in ms. */
  deadlineOf(nodeId: string): number | undefined {
    return this.#deadlines.get(nodeId);
  }

  #apply(event: RunEvent): void {
    this.state = evolve(this.#compiled, this.state, event);
  }

  #advance(event: RunEvent): void {
    this.#apply(event);
    for (const command of decide(this.#compiled, this.state)) {
      if (command.type === 'scheduleActivity') this.#runActivity(command.nodeId, command.iteration);
      else if (command.type === 'startTimer')
        void this.#runTimer(command.nodeId, command.iteration, command.durationMs);
      else this.#close(command);
    }
    this.#show();
    this.#hint();
  }

  /** Callbacks, not await, and few frames: the SDK maps a stack trace for every promise, which is most of what a step costs. */
  #runActivity(nodeId: NodeId, iteration: number): void {
    this.#apply({ type: 'node.scheduled', at: Date.now(), nodeId, iteration });
    const { input } = this.#nodeState(nodeId);
    activityOf(
      this.#node(nodeId),
      iteration,
    )(input).then(
      (output) => this.#advance({ type: 'node.completed', at: Date.now(), nodeId, iteration, output: output ?? null }),
      (error: unknown) => {
        if (isCancellation(error)) this.#advance({ type: 'node.cancelled', at: Date.now(), nodeId, iteration });
        else
          this.#advance({
            type: 'node.failed',
            at: Date.now(),
            nodeId,
            iteration,
            error: activityError(error, nodeId),
          });
      },
    );
  }

  async #runTimer(nodeId: NodeId, iteration: number, durationMs: number): Promise<void> {
    this.#apply({ type: 'timer.started', at: Date.now(), nodeId, iteration });
    this.#deadlines.set(nodeId, Date.now() + durationMs);
    const scope = new CancellationScope();
    this.#timers.set(nodeId, scope);
    try {
      await scope.run(() => sleep(durationMs, { summary: activityId(nodeId, iteration) }));
    } catch (error) {
      if (isCancellation(error)) return;
      throw error;
    }
    this.#advance({ type: 'timer.fired', at: Date.now(), nodeId, iteration });
  }

  /** The projector follows a run for two seconds after its last news, so a busy run need not call on every step. */
  #hint(): void {
    if (Date.now() - this.#hintedAt < HINT_EVERY_MS) return;
    this.#hintedAt = Date.now();
    hints.progressed();
  }

  /** Details cost no event; the search attribute costs one, so it follows only the turns to and from WAITING. */
  #show(): void {
    const named = (status: NodeState['status']) =>
      this.state.nodes.filter((node) => node.status === status).map((node) => node.id);
    const running = named('RUNNING');
    const waiting = named('WAITING');
    setCurrentDetails(
      [
        running.length > 0 ? `running: ${running.join(', ')}` : '',
        waiting.length > 0 ? `waiting: ${waiting.join(', ')}` : '',
      ]
        .filter(Boolean)
        .join('\n\n'),
    );
    const status = this.state.status === 'WAITING' ? 'WAITING' : 'RUNNING';
    if (status === this.#shownStatus || this.state.cancelRequested) return;
    this.#shownStatus = status;
    upsertSearchAttributes({ WeftStatus: [status] });
  }

  #node(nodeId: string): CompiledNode {
    return this.#compiled.nodes[this.#compiled.indexOf.get(nodeId) ?? -1] as CompiledNode;
  }

  #nodeState(nodeId: string): NodeState {
    return this.state.nodes[this.#compiled.indexOf.get(nodeId) ?? -1] as NodeState;
  }
}
