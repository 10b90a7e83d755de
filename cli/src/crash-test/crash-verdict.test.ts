import { describe, expect, it } from '@jest/globals';
import type { CrashRun } from './crash-run.ts';
import { judgeCrashRun } from './crash-verdict.ts';

const pay = (key: string, path = '/pay') => ({ method: 'POST', path, key, body: '' });
const receipt = (nodeId: string, attempt = 1) => ({ nodeId, iteration: '1', attempt, state: 'RECEIPT' });

function run(more: Partial<CrashRun> = {}): CrashRun {
  return {
    ...{ runId: 'run-1', point: null, crashedAfter: null, status: 'COMPLETED', output: 'of run-1', error: null, ms: 1 },
    counts: { event: 0, report: 0, call: 0, activity: 0 },
    calls: [pay('a'), { method: 'GET', path: '/price', key: 'b', body: '' }],
    effects: [receipt('pay')],
    ...more,
  };
}
const faults = (more: Partial<CrashRun>) =>
  judgeCrashRun(run({ runId: 'run-2', output: 'of run-2', ...more }), run()).faults;

describe('the verdict on a run whose worker was killed', () => {
  it('is that all is well when the result is the same but for the id of the run', () => {
    expect(faults({})).toEqual([]);
  });

  it('lets a call be repeated with its key, and reads as often as it likes', () => {
    const calls = [pay('c'), pay('c'), { method: 'GET', path: '/price', key: 'd', body: '' }];
    const read = [...calls, ...calls.slice(2)];
    const verdict = judgeCrashRun(run({ calls: read }), run());
    expect(verdict).toEqual({ faults: [], effects: 1, repeated: 1 });
  });

  it('names another result', () => {
    expect(faults({ status: 'FAILED' })).toEqual(['status FAILED instead of COMPLETED']);
    expect(faults({ output: 'else' })).toEqual(['another output']);
    expect(faults({ error: { code: 'X' } })).toEqual(['another error']);
  });

  it('names an effect that came twice, with another key or with none, and one that is missing', () => {
    expect(faults({ calls: [pay('a'), pay('b')] })).toEqual(['2 effects of POST /pay instead of 1']);
    expect(faults({ calls: [pay(''), pay('')] })).toEqual(['2 effects of POST /pay instead of 1']);
    expect(faults({ calls: [pay('a'), pay('b', '/refund')] })).toEqual(['1 effects of POST /refund instead of 0']);
    expect(faults({ calls: [] })).toEqual(['0 effects of POST /pay instead of 1']);
  });

  it('names receipts that the ledger has twice, or not', () => {
    expect(faults({ effects: [receipt('pay'), receipt('pay', 2)] })).toEqual(['two receipts of pay#1 in the ledger']);
    expect(faults({ effects: [{ ...receipt('pay'), state: 'UNKNOWN' }] })).toEqual([
      'no receipt of pay#1 in the ledger',
    ]);
  });
});
