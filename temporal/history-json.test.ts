import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../domain/json.ts';
import { historyFromJson, historyToJson } from './history-json.ts';

const FOLDER = new URL('recorded-histories/', import.meta.url);
const recorded = readdirSync(FOLDER).map((name) => {
  const { history } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { history: JsonObject };
  return [name, history] as const;
});

describe('Temporal history JSON', () => {
  it.each(recorded)('of %s is written as it was read', (_, history) => {
    expect(historyToJson(historyFromJson(history))).toEqual(history);
  });

  it('leaves texts alone that look like a time or a duration', () => {
    const attributes = { signalName: '10s', identity: '2026-01-02T03:04:05Z', header: {} };
    const event = {
      eventId: '1',
      eventTime: '2026-01-02T03:04:05.250Z',
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED',
      workflowExecutionSignaledEventAttributes: attributes,
    };
    expect(historyToJson(historyFromJson({ events: [event] }))).toEqual({ events: [event] });
  });

  it('is understood with the short names of older exports', () => {
    const [, history] = recorded[0] as (typeof recorded)[number];
    const short = JSON.parse(
      JSON.stringify(history).replace(/"(?:EVENT_TYPE|TASK_QUEUE_KIND)_([A-Z_]+)"/g, (_, name: string) =>
        JSON.stringify(name.toLowerCase().replace(/(?:^|_)([a-z])/g, (__, letter: string) => letter.toUpperCase())),
      ),
    ) as JsonObject;
    expect(JSON.stringify(short)).toContain('"WorkflowExecutionStarted"');
    expect(historyToJson(historyFromJson(short))).toEqual(history);
  });

  it('with what a later server adds is read all the same', () => {
    const event = { eventId: '1', eventType: 'EVENT_TYPE_OF_TOMORROW', tomorrow: { field: 1 } };
    expect(historyFromJson({ events: [event] }).events).toHaveLength(1);
  });

  it.each([
    ['nothing', null],
    ['no events', { events: [] }],
    ['decoded payloads', { events: [startedWith({ n: 1 })] }],
  ])('is refused with %s', (_, value) => {
    expect(() => historyFromJson(value)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

function startedWith(data: JsonObject): JsonObject {
  const input = { payloads: [{ metadata: {}, data }] };
  return {
    eventId: '1',
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
    workflowExecutionStartedEventAttributes: { input },
  };
}
