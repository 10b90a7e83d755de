import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TENANT_ATTRIBUTE, WORKFLOW_ATTRIBUTE } from '../../temporal/search-attributes.ts';
import { openReruns, type Reruns } from '../../tests/reruns.ts';
import { testWorkflowBundle } from '../../tests/servers.ts';

const OTHERS = {
  typedSearchAttributes: [
    { key: TENANT_ATTRIBUTE, value: 'others' },
    { key: WORKFLOW_ATTRIBUTE, value: 'swarm' },
  ],
};

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

  const REPLAY = `query ($r: [ID!], $w: ID, $l: Int, $q: String, $a: String) {
    replayRuns(runIds: $r, workflowId: $w, last: $l, query: $q, after: $a) { diverged missing next
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
    await writeFile(bundle, code);
    expect(bad.diverged).toBe(1);
    expect(bad.histories[0]).toMatchObject({
      same: false,
      nodeId: 'one',
      eventType: 'ACTIVITY_TASK_SCHEDULED',
      expected: { kind: 'activity', nodeId: 'one' },
    });
    await expect(replay({ r: ['nobody'] })).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
    await expect(replay({ l: 1_001 })).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
  }, 90_000);

  it('takes what a query finds, of its tenant alone, more than are in memory together, and goes on where it ended', async () => {
    const { query, closed, doors } = all;
    const definition = { name: 'swarm', nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }], edges: [] };
    await query('mutation ($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: definition });
    const start = 'mutation { executeWorkflow(workflowId: "swarm") { id } }';
    const ids: string[] = [];
    for (let run = 0; run < 55; run += 1) ids.push((await query(start)).executeWorkflow.id);
    await Promise.all(ids.map((id) => closed(id)));
    await doors.temporal.workflow.start('run', { workflowId: 'of-others', taskQueue: 'nobody', ...OTHERS });
    const found = "WeftWorkflow = 'swarm'";
    const visible = async () => (await doors.temporal.workflow.count(found)).count;
    for (const deadline = Date.now() + 30_000; (await visible()) < 56 && Date.now() < deadline;) await sleep(100);
    expect(await visible()).toBe(56);
    const runsOf = ({ histories }: any) => histories.map(({ runId }: any) => runId);
    const whole = await replay({ q: found, l: 1_000 });
    expect(new Set(runsOf(whole))).toEqual(new Set(ids));
    const first = await replay({ q: found, l: 30 });
    const rest = await replay({ q: found, l: 30, a: first.next });
    expect(new Set([...runsOf(first), ...runsOf(rest)])).toEqual(new Set(ids));
    const last = await replay({ w: 'swarm', l: 40 });
    expect(runsOf(await replay({ w: 'swarm', l: 40, a: last.next }))).toHaveLength(15);
    for (const q of [
      `${found}) OR (WeftTenant = 'others'`,
      "Nothing = 'x'",
      `${found} -- `,
      `${found} ORDER BY StartTime`,
    ])
      await expect(replay({ q })).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
  }, 120_000);
});
