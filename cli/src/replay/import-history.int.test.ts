import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCli } from '../../../tests/e2e/weft-cli.ts';
import { openReruns, type Reruns } from '../../../tests/reruns.ts';

describe('weft history import', () => {
  let all: Reruns;
  let folder: string;
  beforeAll(async () => {
    all = await openReruns();
    folder = await mkdtemp(join(tmpdir(), 'weft-import-'));
  }, 120_000);
  afterAll(async () => {
    await all?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function weft(...args: string[]) {
    const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = all.doors.settings;
    const env = { PATH: process.env['PATH'], DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE };
    const cli = startCli(args, env);
    const code = await cli.ended;
    return { code, stdout: cli.stdout(), stderr: cli.stderr() };
  }

  it('gives a run back that was exported, with its states, to be rerun like any other', async () => {
    const { call, publish, start, closed, read, rerun, shop, query } = all;
    await publish({
      name: 'exported',
      nodes: [
        call('one', 'input.n'),
        { id: 'nap', type: 'delay', config: { durationMs: 5 } },
        call('two', 'input.n'),
        call('three', 'input.n'),
      ],
      edges: [
        { from: 'one', to: 'nap' },
        { from: 'nap', to: 'two' },
        { from: 'two', to: 'three' },
      ],
      policies: { continueAsNewAfterEvents: 20 },
    });
    const first = await start('exported', { n: 1, text: 'x'.repeat(20_000) });
    const before = await closed(first);
    const file = join(folder, 'run.json');
    expect(await weft('history', 'export', first, '--all', '-o', file)).toMatchObject({ code: 0, stderr: '' });
    expect(await weft('history', 'import', file)).toMatchObject({ code: 2 });
    expect(await weft('history', 'import', file, '--as', 'run-from-file')).toMatchObject({ code: 0, stderr: '' });
    const after = await read('run-from-file');
    expect(after).toEqual({ ...before, id: 'run-from-file' });
    const last = 'query ($id: ID!) { run(id: $id) { stateAt(eventId: 100000) } }';
    const [state, imported] = [await query(last, { id: first }), await query(last, { id: 'run-from-file' })];
    expect(imported).toEqual(state);
    all.reset();
    const again = await closed(await rerun('run-from-file'));
    expect(again).toMatchObject({ status: 'COMPLETED', rerunOf: { runId: 'run-from-file' } });
    expect(shop.calls).toEqual([]);
  }, 90_000);
});
