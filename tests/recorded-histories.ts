import { readFileSync } from 'node:fs';
import proto, { type temporal } from '@temporalio/proto';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';

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

/**
 * The history of a real run, recorded on server 1.29.1, and the definition that ran. The SDK's own reader of such JSON fails when
 * npm gives `@temporalio/common` a protobufjs of its own.
 */
export function readRecordedHistory(name: (typeof RECORDED)[number]): Recorded {
  const file = new URL(`../temporal/recorded-histories/${name}.json`, import.meta.url);
  const { definition, history } = JSON.parse(readFileSync(file, 'utf8'), protoTime) as {
    definition: WorkflowDefinition;
    history: object;
  };
  return { definition, history: proto.temporal.api.history.v1.History.fromObject(history) };
}

/** JSON writes proto's times and durations as text; everything else is as `fromObject` wants it. */
function protoTime(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const duration = /^(\d+)(?:\.(\d+))?s$/.exec(value);
  if (duration) return { seconds: Number(duration[1]), nanos: nanos(duration[2]) };
  const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(value);
  if (time) return { seconds: Date.parse(`${time[1]}Z`) / 1000, nanos: nanos(time[2]) };
  return value;
}

const nanos = (fraction = ''): number => Number(fraction.padEnd(9, '0'));
