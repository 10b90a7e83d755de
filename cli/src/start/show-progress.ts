import { Listr } from 'listr2';
import { nodeDurationMs, type SampleNode, type SampleRun } from './sample-run.ts';

export type Progress = {
  update: (run: SampleRun) => void;
  /** Ends the display; resolves when the last of it is on screen. */
  finish: () => Promise<void>;
};

const SETTLED = ['COMPLETED', 'FAILED', 'SKIPPED', 'CANCELLED'];

/** A tree that changes in place on a terminal; otherwise one line when a node is done. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  // Some terminals of build servers say that they have no width.
  return stream.isTTY && stream.columns >= 20 ? liveProgress() : plainProgress((line) => stream.write(`${line}\n`));
}

function plainProgress(write: (line: string) => void): Progress {
  const told = new Set<string>();
  return {
    update({ nodes }) {
      for (const node of settledInOrder(nodes)) {
        if (told.has(node.id)) continue;
        told.add(node.id);
        write(`  ${node.id.padEnd(14)} ${node.status.toLowerCase().padEnd(10)} ${took(node)}`.trimEnd());
      }
    },
    finish: async () => undefined,
  };
}

function settledInOrder(nodes: readonly SampleNode[]): SampleNode[] {
  const closed = (node: SampleNode) => (node.closedAt === null ? Number.MAX_VALUE : Date.parse(node.closedAt));
  return nodes.filter((node) => SETTLED.includes(node.status)).sort((a, b) => closed(a) - closed(b));
}

function liveProgress(): Progress {
  const waiting = new Map<string, PromiseWithResolvers<SampleNode>>();
  let rendered: Promise<unknown> = Promise.resolve();
  const begin = (nodes: readonly SampleNode[]) => {
    for (const { id } of nodes) waiting.set(id, Promise.withResolvers());
    const tasks = nodes.map(({ id }) => ({
      title: id,
      task: async (_context: unknown, task: { title: string; skip: (message: string) => void }) => {
        const node = await waiting.get(id)?.promise;
        if (node === undefined) return;
        if (node.status === 'SKIPPED') return task.skip(`${id} skipped`);
        task.title = `${id} ${took(node)}`;
        if (node.status !== 'COMPLETED') throw new Error(`${id} ${node.status.toLowerCase()}`);
      },
    }));
    rendered = new Listr(tasks, {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
    })
      .run()
      .catch(() => undefined);
  };
  return {
    update({ nodes }) {
      if (waiting.size === 0 && nodes.length > 0) begin(nodes);
      for (const node of nodes) if (SETTLED.includes(node.status)) waiting.get(node.id)?.resolve(node);
    },
    async finish() {
      for (const [id, { resolve }] of waiting) {
        const never = { id, type: '', status: 'SKIPPED', iteration: 1, attempts: 0, startedAt: null, closedAt: null };
        resolve(never);
      }
      await rendered;
    },
  };
}

function took(node: SampleNode): string {
  const ms = nodeDurationMs(node);
  return ms === null || node.status === 'SKIPPED' ? '' : `${(ms / 1000).toFixed(2)} s`;
}
