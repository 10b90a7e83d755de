import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../domain/json.ts';
import { ERASED, keysIn, openValues, sealValues } from './sealed-values.ts';

const key = { id: 'k1', key: randomBytes(32) };
const known = (id: string) => (id === 'k1' ? key.key : undefined);

describe('sealed values', () => {
  it('are given back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const payload = JSON.parse(JSON.stringify({ nodeId: 'a', output: value })) as Json;
        const stored = JSON.parse(JSON.stringify(sealValues(payload, key))) as Json;
        expect(openValues(stored, known)).toEqual(payload);
      }),
    );
  });

  it('leave what says how a run went, and the shape, to be read', () => {
    const sealed = sealValues(
      { nodeId: 'greet', error: { code: 'TIMEOUT', message: 'no Ada' }, input: { names: ['Ada', 7, true, null] } },
      key,
    );
    expect(sealed).toMatchObject({ nodeId: 'greet', error: { code: 'TIMEOUT' } });
    expect(JSON.stringify(sealed)).not.toContain('Ada');
    expect(keysIn([sealed])).toEqual(new Set(['k1']));
    expect(openValues(sealed, () => null)).toEqual({
      nodeId: 'greet',
      error: { code: 'TIMEOUT', message: ERASED },
      input: { names: [ERASED, ERASED, true, null] },
    });
  });

  it('that were changed or moved from another key do not open, and a text that only looks sealed stays', () => {
    const { output } = sealValues({ output: 'Ada' }, key) as { output: string };
    const changed = `${output.slice(0, -2)}${output.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(openValues(changed, known)).toBe(changed);
    expect(openValues(output, () => randomBytes(32))).toBe(output);
    for (const text of ['$sealed:', '$sealed:k1:', '$sealed:k1:short', '$sealed:other:AAAA']) {
      expect(openValues(text, known)).toBe(text);
    }
  });
});
