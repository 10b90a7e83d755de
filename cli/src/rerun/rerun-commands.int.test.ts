import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCli } from '../../../tests/e2e/weft-cli.ts';
import { openReruns, type Reruns } from '../../../tests/reruns.ts';
import { parseSetting } from './counterfactual.ts';

describe('the commands that take up a run again', () => {
  let all: Reruns;
  let first: string;
  beforeAll(async () => {
    all = await openReruns();
    const { call, publish, start, closed } = all;
    await publish({
      name: 'told',
      variables: { tone: 'mild' },
      nodes: [call('price', 'input.n'), call('pay', 'vars.tone')],
      edges: [{ from: 'price', to: 'pay' }],
    });
    first = await start('told');
    await closed(first);
  }, 120_000);
  beforeEach(() => all.reset());
  afterAll(() => all?.close());

  async function weft(...args: string[]) {
    const cli = startCli([...args, '--url', `${all.doors.gatewayUrl}/graphql`], { PATH: process.env['PATH'] });
    const code = await cli.ended;
    return { code, stdout: cli.stdout(), stderr: cli.stderr() };
  }

  it('weft rerun says what it would do, and does nothing that repeats an effect without a yes', async () => {
    const planned = await weft('rerun', first, 'pay', '--plan');
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(planned.stdout).toMatch(/price#1\s+http\s+REUSED\s+\d+ ms\s+run-/);
    expect(planned.stdout).toMatch(/REPEATS {2}pay#1 POST http:.*RECEIPT/);
    const stopped = await weft('rerun', first, 'pay');
    expect(stopped).toMatchObject({ code: 1, stderr: 'nothing was started: 1 effects would repeat; add --yes\n' });
    expect(all.shop.calls).toEqual([]);
    const done = await weft('rerun', first, 'pay', '--yes', '--wait', '4000', '--json', '--var', 'tone="dry"');
    expect(JSON.parse(done.stdout)).toMatchObject({ run: { status: 'COMPLETED' }, plan: { saved: { executions: 1 } } });
    expect(all.shop.calls).toEqual(['pay dry']);
    expect(await weft('rerun', first, 'nobody')).toMatchObject({ code: 1 });
    expect(await weft('rerun', first, '--var', 'tone')).toMatchObject({ code: 2 });
  }, 60_000);

  it('weft fork goes on from an event with another output', async () => {
    const { run } = await all.query('query ($id: ID!) { run(id: $id) { events(first: 100) { id type nodeId } } }', {
      id: first,
    });
    const { id } = run.events.find(({ type }: any) => type === 'node.scheduled');
    const forked = await weft('fork', first, String(id), '--output', 'price={"body":1}', '--yes', '--wait', '4000');
    expect(forked).toMatchObject({ code: 0 });
    expect(forked.stdout).toMatch(/COMPLETED/);
    expect(all.shop.calls).toEqual(['pay mild']);
    expect(await weft('fork', first, '0')).toMatchObject({ code: 1 });
  }, 60_000);

  it('weft counterfactual shows what would have been, and ends with 1 when that is something else', async () => {
    const other = await weft('counterfactual', first, '--set', 'pay.config.body=vars.tone + "!"');
    expect(other).toMatchObject({ code: 1, stderr: '' });
    expect(other.stdout).toMatch(/pay#1 not called, answered as it had/);
    expect(other.stdout).toMatch(/1 runs, 0 the same, 0 open, 0 not made/);
    expect(await weft('counterfactual', '--workflow', 'told', '--last', '1')).toMatchObject({ code: 0 });
    expect(await weft('counterfactual')).toMatchObject({ code: 2 });
    expect(all.shop.calls).toEqual([]);
  }, 60_000);

  it('reads a setting as JSON where it is that, else as text', () => {
    expect(parseSetting('a.config.x=12')).toEqual(['a.config.x', 12]);
    expect(parseSetting('a.config.prompt=Is it = spam?')).toEqual(['a.config.prompt', 'Is it = spam?']);
    expect(() => parseSetting('a=1')).toThrow('names no place');
  });
});
