import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { RunEvent, RunEventType } from '../runs/run-event.ts';
import type { PayloadOf } from './event-field.ts';
import { EVENT_TYPES } from './event-types.ts';
import type { RUN_EVENTS } from './kinds/run-events.ts';

const ajv = formats.default(new Ajv2020({ strict: true, allowUnionTypes: true }));

/** The payload of every event that the engine knows is one that its schema describes; tsc holds it. */
type PayloadOfRun<Type extends RunEventType> = Omit<Extract<RunEvent, { type: Type }>, 'type' | 'at'>;
type Fits = {
  [Type in RunEventType]: PayloadOfRun<Type> extends PayloadOf<(typeof RUN_EVENTS)[Type]['payload']> ? true : Type;
}[RunEventType];
const fits: [Fits] extends [true] ? true : Fits = true;

describe('types of events', () => {
  it('have names of two parts, once each', () => {
    expect(fits).toBe(true);
    const names = EVENT_TYPES.map(({ type }) => type);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z_]*\.[a-z][a-z_]*$/);
  });

  it.each(EVENT_TYPES)('have a schema that validators take: $type', ({ schema }) => {
    expect(ajv.validateSchema(schema)).toBe(true);
    expect(() => ajv.compile(schema)).not.toThrow();
  });

  it('tell a payload that fits from one that does not', () => {
    const validate = ajv.getSchema('urn:weft:event:schedule.paused:1')!;
    expect(validate({ id: 's', by: null, note: 'x', later: 1 })).toBe(true);
    expect(validate({ id: 's', note: 'x' })).toBe(false);
    expect(validate({ id: 7, by: null, note: 'x' })).toBe(false);
  });

  it('are all in version 1 where they come from histories, as the feed writes them', () => {
    const fed = EVENT_TYPES.filter(({ source }) => source !== 'system');
    expect(fed.every(({ schemaVersion }) => schemaVersion === 1)).toBe(true);
  });
});
