import type { Json } from '../../json.ts';
import { type EmittedEvent, type EventTriggerRecord, eventValue } from './event.ts';
import type { ScheduleRecord } from './schedule.ts';
import { wallTimeText } from './time-zone.ts';
import { evaluateTriggerExpression, evaluateTriggerMapping } from './trigger-expression.ts';

/** Of the run that a schedule starts at a time. @throws AppError EXPRESSION_FAILED */
export function scheduledInput(schedule: ScheduleRecord, scheduledTime: string): Json {
  const { id, name, mapping, spec } = schedule;
  if (mapping === null) return schedule.input;
  const localTime = wallTimeText(Date.parse(scheduledTime), spec.timeZone);
  const about = { id, name, timeZone: spec.timeZone, localTime };
  return evaluateTriggerMapping('SCHEDULE', mapping, { scheduledTime, schedule: about });
}

/** Of the run that an event starts; undefined when the filter says no. @throws AppError EXPRESSION_FAILED */
export function eventInput({ filter, mapping }: EventTriggerRecord, event: EmittedEvent): Json | undefined {
  const values = { event: eventValue(event) };
  if (filter !== null && evaluateTriggerExpression('EVENT', filter, values) !== true) return undefined;
  return mapping === null ? (event.data ?? {}) : evaluateTriggerMapping('EVENT', mapping, values);
}
