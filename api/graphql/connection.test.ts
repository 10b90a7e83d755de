import { describe, expect, it } from '@jest/globals';
import { connectionOf, pageSize } from './connection.ts';

describe('connectionOf', () => {
  const cursorOf = (letter: string) => letter.toUpperCase();

  it('names the first and the last cursor of the page', () => {
    const page = { rows: ['a', 'b'], totalCount: 5, hasNextPage: true };
    expect(connectionOf(page, cursorOf, undefined)).toEqual({
      edges: [
        { node: 'a', cursor: 'A' },
        { node: 'b', cursor: 'B' },
      ],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: 'A', endCursor: 'B' },
      totalCount: 5,
    });
  });

  it('has no cursors when it is empty, and a page before it when it follows a cursor', () => {
    const { pageInfo } = connectionOf({ rows: [], totalCount: 5, hasNextPage: false }, cursorOf, 'E');
    expect(pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null });
  });
});

describe('pageSize', () => {
  it('is the standard where nothing is asked', () => {
    expect([pageSize(undefined, 20, 100), pageSize(null, 20, 100), pageSize(100, 20, 100)]).toEqual([20, 20, 100]);
  });

  it('refuses sizes out of range by their path', () => {
    for (const first of [0, -1, 101]) {
      expect(() => pageSize(first, 20, 100)).toThrow(
        expect.objectContaining({
          code: 'INPUT_INVALID',
          fields: { detail: 'first must be 1 to 100', paths: [{ path: '/first', message: 'must be 1 to 100' }] },
        }),
      );
    }
  });
});
