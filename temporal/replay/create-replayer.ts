import { readFile } from 'node:fs/promises';
import { IllegalStateError } from '@temporalio/common';
import type { Settings } from '../../config/settings.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { type ChildRuns, createDataConverter } from '../data-converter.ts';
import { createHistoryDecoder } from '../history-payloads.ts';
import { quietReplay, type ReplayedLink, replayLinks, type ReplayLink } from './replay-links.ts';

/** Runs histories against the workflow code that the workers have. */
export type Replayer = (links: readonly ReplayLink[]) => Promise<ReplayedLink[]>;

type ReplaySettings = Parameters<typeof createDataConverter>[0] & Parameters<typeof createHistoryDecoder>[0];

/** Null where it is not said which code that is. One replay at a time: each has a thread of its own. */
export function createReplayer(
  settings: ReplaySettings & Pick<Settings, 'WEFT_WORKFLOW_BUNDLE'>,
  store: PayloadStore,
  children: ChildRuns,
): Replayer | null {
  const { WEFT_WORKFLOW_BUNDLE: file } = settings;
  if (file === null) return null;
  let before: Promise<unknown> | null = null;
  const replay = async (histories: readonly ReplayLink[]): Promise<ReplayedLink[]> => {
    const workflowBundle = { code: await readFile(file, 'utf8') };
    const dataConverter = createDataConverter(settings, store, children);
    const decode = createHistoryDecoder(settings, store);
    const replayed: ReplayedLink[] = [];
    for await (const link of replayLinks({ workflowBundle, dataConverter, decode }, histories)) replayed.push(link);
    return replayed;
  };
  return (histories) => {
    if (before === null) quietly();
    const turn = (before ?? Promise.resolve()).then(() => replay(histories));
    before = turn.catch(() => undefined);
    return turn;
  };
}

/** A process that has workers besides keeps the runtime that they have. */
function quietly(): void {
  try {
    quietReplay();
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}
