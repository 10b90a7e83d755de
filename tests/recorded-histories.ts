import { readFileSync } from 'node:fs';
import type { temporal } from '@temporalio/proto';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { historyFromJson } from '../temporal/history-json.ts';

type Recorded = { definition: WorkflowDefinition; history: temporal.api.history.v1.IHistory };

export const RECORDED = [
  'http-then-template',
  'http-refused',
  'http-timed-out',
  'approved',
  'cancelled',
  'terminated',
  'timed-out',
  'reset',
] as const;

/** The history of a real run, recorded on server 1.29.1, and the definition that ran. */
export function readRecordedHistory(name: (typeof RECORDED)[number]): Recorded {
  const file = new URL(`../temporal/recorded-histories/${name}.json`, import.meta.url);
  const { definition, history } = JSON.parse(readFileSync(file, 'utf8')) as Omit<Recorded, 'history'> & {
    history: object;
  };
  return { definition, history: historyFromJson(history) };
}
