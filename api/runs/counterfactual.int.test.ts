import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openReruns, type Reruns } from '../../tests/reruns.ts';

const TEXT = `The harbour of Bergen was full of boats. Fishermen sold cod and herring on the quay. Tourists photographed the
  wooden houses of Bryggen. A ferry brought workers from the islands every morning. The mountains around the town were white.`;

describe('counterfactual runs', () => {
  let all: Reruns;
  beforeAll(async () => {
    all = await openReruns(['runs', 'models']);
  }, 120_000);
  beforeEach(() => all.reset());
  afterAll(() => all?.close());

  const ROWS = `id open changes mayRun batch { status total done failed } rows(first: 100) {
    of { id } run { id status rerunOf { kind runId } } same differences { what before after } path { what }
    divergences { nodeId path recorded before after } ran durationBeforeMs durationAfterMs before { inputTokens } after { executions } }`;
  const whatIf = async (request: Record<string, unknown>) => {
    const { counterfactual } = await all.query(
      `mutation ($r: [ID!], $w: ID, $l: Int, $v: Int, $s: JSON, $run: [String!], $again: [String!]) {
         counterfactual(runIds: $r, workflowId: $w, last: $l, version: $v, set: $s, run: $run, again: $again) { id } }`,
      request,
    );
    for (let tries = 0; ; tries += 1) {
      const { counterfactualResult: result } = await all.query(
        `query ($id: ID!) { counterfactualResult(id: $id) { ${ROWS} } }`,
        { id: counterfactual.id },
      );
      if (result.open === 0 && result.batch.status === 'COMPLETED') return result;
      if (tries > 300) throw new Error(JSON.stringify(result));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  it('runs many again with another setting of the model, and touches nothing outside and nothing of the past', async () => {
    const { shop, publish, start, closed, read, call } = all;
    await publish({
      name: 'digest',
      nodes: [
        call('source', 'input.n'),
        {
          id: 'digest',
          type: 'model.complete',
          config: {
            prompt: 'harbour fishermen',
            source: 'input.text',
            provider: 'offline-extractive',
            maxOutputTokens: 60,
          },
        },
        call('post', 'nodes.digest.output.text'),
        { id: 'nap', type: 'delay', config: { durationMs: 20 } },
      ],
      edges: [
        { from: 'source', to: 'digest' },
        { from: 'digest', to: 'post' },
        { from: 'post', to: 'nap' },
      ],
      output: '{"text": nodes.digest.output.text, "source": nodes.source.output.body.name}',
      policies: { concurrency: [{ limit: 1 }] },
    });
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.push(await start('digest', { n, text: TEXT }));
    const before: any[] = [];
    for (const id of ids) before.push(await closed(id));
    expect(before.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(shop.calls).toHaveLength(6);
    all.reset();

    const same = await whatIf({ r: [ids[0]] });
    expect(same.rows).toMatchObject([
      { same: true, ran: [], run: { status: 'COMPLETED', rerunOf: { kind: 'COUNTERFACTUAL' } } },
    ]);

    const result = await whatIf({ w: 'digest', l: 2, s: { 'digest.config.maxOutputTokens': 20 } });
    expect(result.batch).toMatchObject({ total: 2, done: 2, failed: 0 });
    expect(result.mayRun).toEqual(['digest']);
    expect(result.rows.map(({ of }: any) => of.id)).toEqual(ids.slice(1).toSorted());
    for (const row of result.rows) {
      expect(row).toMatchObject({
        same: false,
        path: [],
        ran: ['digest#1'],
        differences: [{ what: 'output.text' }],
        divergences: [{ nodeId: 'post', path: '1', recorded: true }],
      });
      expect(row.differences[0].after.length).toBeLessThan(row.differences[0].before.length);
      expect(row.durationAfterMs).toBeGreaterThan(0);
    }
    expect(shop.calls).toEqual([]);
    for (const [index, id] of ids.entries()) expect(await read(id)).toEqual(before[index]);
    const { workflow } = await all.query('{ workflow(id: "digest") { version } }');
    expect(workflow.version).toBe(1);
  }, 120_000);

  it('refuses what makes no sense', async () => {
    const refused = (request: Record<string, unknown>, code: string) =>
      expect(whatIf(request)).rejects.toMatchObject({ extensions: { code } });
    await refused({ r: ['nobody'] }, 'NOT_FOUND');
    await refused({}, 'INPUT_INVALID');
    await refused({ w: 'nothing' }, 'INPUT_INVALID');
    await refused({ w: 'digest', s: { 'nobody.config.prompt': 'x' } }, 'INPUT_INVALID');
    await refused({ w: 'digest', s: { 'digest.config.maxOutputTokens': 'many' } }, 'DEFINITION_INVALID');
    await refused({ w: 'digest', run: ['nobody'] }, 'INPUT_INVALID');
  }, 60_000);
});
