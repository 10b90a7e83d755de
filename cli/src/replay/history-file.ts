import { readFile } from 'node:fs/promises';
import type { WorkflowDefinition } from '../../../domain/runs/definition.ts';
import { historyFromJson } from '../../../temporal/history-json.ts';
import type { RecordedPayloads } from '../../../temporal/replay/recorded-payloads.ts';
import type { ReplayLink } from '../../../temporal/replay/replay-links.ts';
import { UsageError } from '../usage-error.ts';

/** A run with everything that its replay needs, as `weft history export --all` writes it. */
export type RecordedRun = {
  workflowId: string;
  links: { workflowId: string; history: unknown }[];
  payloads: RecordedPayloads;
  definitions: { [hash: string]: WorkflowDefinition };
};

export type HistoryFile = Pick<RecordedRun, 'payloads' | 'definitions'> & { links: ReplayLink[] };

/** A Temporal history, or a run with all its links and payloads. */
export async function readHistoryFile(file: string): Promise<HistoryFile> {
  const value = await readJson(file);
  const { links, payloads = {}, definitions = {} } = value as Partial<RecordedRun>;
  if (!Array.isArray(links)) return { links: [linkOf(value, workflowIdOf(value) ?? file)], payloads, definitions };
  return { links: links.map(({ workflowId, history }) => linkOf(history, workflowId)), payloads, definitions };
}

async function readJson(file: string): Promise<object> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, null);
  }
  throw new UsageError(`${file} holds no history`, 'Take the output of temporal workflow show -o json.');
}

const linkOf = (history: unknown, workflowId: string): ReplayLink => ({
  workflowId,
  history: historyFromJson(history),
});

/** The first event names it, on servers of these years. */
function workflowIdOf(value: object): string | null {
  const { events } = value as { events?: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[] };
  return events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? null;
}
