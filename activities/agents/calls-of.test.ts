import { describe, expect, it } from '@jest/globals';
import { createSchemaCheck } from '../../adapters/models/check-schema.ts';
import { callsOf } from './calls-of.ts';

const PARAMETERS = { type: 'object', required: ['of'], properties: { of: { type: 'string' } } };
const OFFERS = [
  { name: 'page', description: '', parameters: PARAMETERS, rule: 2, server: 's', tool: 'get', readOnly: true },
];
const ask = (name: string, input: unknown) => ({ type: 'tool-call' as const, id: 'c', name, input: input as never });

describe('the calls that a model asks for', () => {
  it('are made as its tools say, and refused where they do not fit', () => {
    const asked = [
      ask('page', { of: 'x' }),
      ask('pages', {}),
      ask('page', {}),
      ask('page', 'x'),
      ask('page', { of: 'y' }),
    ];
    const calls = callsOf(asked, OFFERS, 4, createSchemaCheck());
    expect(calls[0]).toMatchObject({ rule: 2, server: 's', tool: 'get', readOnly: true, refusal: null });
    expect(calls.slice(1).map(({ refusal }) => refusal)).toEqual([
      'There is no tool pages.',
      expect.stringContaining('do not match the schema'),
      'The arguments must be a JSON object.',
      'Only 4 calls are made in one turn.',
    ]);
  });
});
