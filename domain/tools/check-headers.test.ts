import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkHeaders } from './check-headers.ts';

const refused = expect.objectContaining({ code: 'HTTP_REQUEST_INVALID' });

describe('checkHeaders', () => {
  it('gives names in lower case', () => {
    expect(checkHeaders({ 'X-Trace': 'a b\tc', Accept: 'text/html' })).toEqual({
      'x-trace': 'a b\tc',
      accept: 'text/html',
    });
  });

  it.each([
    ['X', 'a\r\nHost: evil'],
    ['X', 'a\nb'],
    ['X', 'a\0b'],
    ['X', '\u{1F600}'],
    ['X\r\nY', 'a'],
    ['X Y', 'a'],
    ['', 'a'],
    ['X:', 'a'],
  ])('refuses %j: %j', (name, value) => {
    expect(() => checkHeaders({ [name]: value })).toThrow(refused);
  });

  it.each(['Host', 'content-length', 'Transfer-Encoding', 'CONNECTION', 'Upgrade', 'Proxy-Authorization'])(
    'keeps %s for the client',
    (name) => {
      expect(() => checkHeaders({ [name]: 'x' })).toThrow(refused);
    },
  );

  it('refuses a name given twice in different case, and values that are no strings', () => {
    expect(() => checkHeaders({ a: '1', A: '2' })).toThrow(refused);
    expect(() => checkHeaders({ a: 1 as unknown as string })).toThrow(refused);
  });

  it('never lets a line break through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        try {
          for (const [key, checked] of Object.entries(checkHeaders({ [name]: value }))) {
            expect(key + checked).not.toMatch(/[\r\n\0]/);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'HTTP_REQUEST_INVALID' });
        }
      }),
    );
  });
});
