import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openReruns, type Reruns } from '../../tests/reruns.ts';
import { testWorkflowBundle } from '../../tests/servers.ts';

describe('replayRuns', () => {
  let all: Reruns;
  let folder: string;
  let bundle: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-replay-'));
    bundle = join(folder, 'workflows.js');
    await writeFile(bundle, await readFile(testWorkflowBundle().codePath));
    all = await openReruns(['runs'], { WEFT_WORKFLOW_BUNDLE: bundle });
  }, 120_000);
  afterAll(async () => {
    await all?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const REPLAY = `query ($r: [ID!], $w: ID, $l: Int) { replayRuns(runIds: $r, workflowId: $w, last: $l) { diverged missing
    histories { runId same nodeId eventId eventType expected { kind nodeId } actual { kind name } message } } }`;
  const replay = async (given: object) => (await all.query(REPLAY, given as Record<string, unknown>)).replayRuns;

  it('says of the last runs, reruns among them, that the code does what was recorded, and of other code where it does not', async () => {
    const { call, publish, chain, start, closed, rerun } = all;
    await publish(chain('replayed', [call('one'), call('two')]));
    const first = await start('replayed');
    await closed(first);
    const second = await rerun(first, ['two']);
    await closed(second);
    const good = await replay({ w: 'replayed', l: 5 });
    expect(good).toMatchObject({ diverged: 0, missing: [] });
    expect(good.histories.every(({ same }: any) => same)).toBe(true);
    expect(new Set(good.histories.map(({ runId }: any) => runId))).toEqual(new Set([first, second]));
    const code = await readFile(bundle, 'utf8');
    await writeFile(bundle, code.replaceAll('return `${node}#${iteration}`', 'return `${node}#9${iteration}`'));
    const bad = await replay({ r: [first] });
    expect(bad.diverged).toBe(1);
    expect(bad.histories[0]).toMatchObject({
      same: false,
      nodeId: 'one',
      eventType: 'ACTIVITY_TASK_SCHEDULED',
      expected: { kind: 'activity', nodeId: 'one' },
    });
    await expect(replay({ r: ['nobody'] })).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    await expect(replay({ l: 1_000 })).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
  }, 90_000);
});
