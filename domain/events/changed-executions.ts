import { nodeId } from '../identifiers.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import { executionsOf, type NodeState, type RunState, type UndoState } from '../runs/run-state.ts';

/** `ordinal`: the node's place in the definition; an undo stands with its node. */
export type ChangedExecution = { ordinal: number; node: NodeState | UndoState };

/** Collects the executions that change while events are folded, those of bodies that end meanwhile included; the last state of each. */
export class ChangedExecutions {
  #compiled: CompiledDefinition;
  #changed = new Map<string, ChangedExecution>();
  #known: ReadonlySet<NodeState | UndoState>;
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

  /** The run goes on in another version: executions have their new ids there, and every one that the state holds counts as changed. */
  migrated(compiled: CompiledDefinition, state: RunState, targetOf: (id: string) => string | null): void {
    this.#compiled = compiled;
    this.#known = new Set();
    this.#last = state;
    const before = [...this.#changed.values()];
    this.#changed = new Map();
    for (const { node } of before) {
      const target = targetOf(node.id);
      if (target !== null || hasBegun(node)) this.#add({ ...node, id: nodeId(target ?? node.id) });
    }
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

/** What never began leaves no trace when the new version does not have it. */
export const hasBegun = ({ startedAt }: NodeState | UndoState): boolean => startedAt !== null;
