import { describe, expect, it } from '@jest/globals';
import { createWarningTeller } from './run-warnings.ts';

const lonely = { code: 'NO_WORKER', message: 'No worker polls queue gpu', hint: 'Start one', nodeId: 'analyze' };

describe('the warnings of a run on a terminal', () => {
  it('are said once while they last, and again when they come back', () => {
    const lines: string[] = [];
    const tell = createWarningTeller((line) => lines.push(line));
    for (const warnings of [[], [lonely], [lonely], [], [lonely]]) tell(warnings);
    expect(lines).toEqual(Array.from({ length: 2 }, () => 'NO_WORKER: No worker polls queue gpu\nhint: Start one'));
  });
});
