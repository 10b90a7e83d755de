import { describe, expect, it } from '@jest/globals';
import { lastProblem } from './line-log.ts';

describe('lastProblem', () => {
  it('finds the error in a stack trace of Node', () => {
    const lines = [
      'file:///x.ts:1',
      'import y',
      '',
      'SyntaxError: no export named z',
      '    at x.ts:1:1',
      '',
      'Node.js v24',
    ];
    expect(lastProblem(lines)).toBe('no export named z');
  });

  it('finds the last error of a JSON log, by its cause where it has one', () => {
    const log = [
      { level: 50, msg: 'first' },
      { level: 60, msg: 'cannot start', err: { message: 'no database' } },
      { level: 30, msg: 'stops' },
    ];
    expect(lastProblem(log.map((line) => JSON.stringify(line)))).toBe('no database');
  });

  it('gives the last line where nothing looks like an error', () => {
    expect(lastProblem(['one', 'two', ''])).toBe('two');
    expect(lastProblem([])).toBe('it said nothing');
  });
});
