import type { CompiledDefinition } from '../runs/compile.ts';
import { executionsOf, type NodeState, type RunState, type UndoState } from '../runs/run-state.ts';

/** `ordinal`: the node's place in the definition; an undo stands with its node. */
export type ChangedExecution = { ordinal: number; node: NodeState | UndoState };

/** Collects the executions that change while events are folded, those of bodies that end meanwhile included; the last state of each. */
export class ChangedExecutions {
  readonly #compiled: CompiledDefinition;
  readonly #changed = new Map<string, ChangedExecution>();
  readonly #known: ReadonlySet<NodeState | UndoState>;
  #last: RunState;

  /** `before` is null when nothing has been recorded yet. */
  constructor(compiled: CompiledDefinition, before: RunState | null, start: RunState) {
    this.#compiled = compiled;
    this.#known = new Set(before ? executionsOf(before) : []);
    this.#last = start;
  }

  folded(state: RunState): void {
    if (state === this.#last) return;
    this.#last = state;
    for (const node of state.dropped) this.#add(node);
  }

  all(): ChangedExecution[] {
    for (const node of executionsOf(this.#last)) if (!this.#known.has(node)) this.#add(node);
    return [...this.#changed.values()];
  }

  #add(node: NodeState | UndoState): void {
    const ordinal = this.#compiled.indexOf.get(node.id.replace(/\.undo$/, '')) ?? -1;
    this.#changed.set(`${node.id}#${node.iteration}`, { ordinal, node });
  }
}
