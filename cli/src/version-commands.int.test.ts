import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';

const definition = (call: string) => ({
  name: 'trip',
  nodes: [
    { id: call, type: 'transform', config: { value: '7' } },
    { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
  ],
  edges: [{ from: call, to: 'ask' }],
  output: `nodes.${call}.output`,
});

describe('the verbs about versions', () => {
  let doors: Doors;
  let services: Awaited<ReturnType<typeof startRunServices>>;
  let folder: string;
  beforeAll(async () => {
    doors = await openDoors();
    services = await startRunServices(doors);
    folder = await mkdtemp(join(tmpdir(), 'weft-versions-'));
    for (const call of ['book', 'reserve']) {
      await writeFile(join(folder, `${call}.json`), JSON.stringify(definition(call)));
    }
  }, 120_000);
  afterAll(async () => {
    await services?.stop();
    await doors?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Exit code and stdout. */
  const weft = (...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      const all = ['cli/src/main.ts', ...args, '--url', `${doors.gatewayUrl}/graphql`];
      execFile(process.execPath, all, { env: { ...process.env, NODE_OPTIONS: '' } }, (error, out) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out }),
      );
    });

  it('publish, look ahead, move a run, and deprecate', async () => {
    const [book, reserve] = [join(folder, 'book.json'), join(folder, 'reserve.json')];
    expect(await weft('publish', book)).toEqual({ code: 0, out: 'trip version 1\n' });
    const { data } = await doors.ask('mutation { executeWorkflow(workflowId: "trip", input: {}) { id } }');
    const run = data.executeWorkflow.id as string;
    for (let status = ''; status !== 'WAITING';) {
      status = (await doors.ask(`{ run(id: "${run}") { status } }`)).data.run.status;
    }
    const checked = await weft('publish', reserve, '--check');
    expect(checked.code).toBe(1);
    expect(checked.out).toContain('Node book has a result, but the new version does not have it; perhaps reserve');
    expect((await weft('fleet-check', reserve, '--map', 'book=reserve', '--json')).code).toBe(0);
    expect(await weft('publish', reserve)).toEqual({ code: 0, out: 'trip version 2\n' });
    expect((await weft('migrate', run)).code).toBe(1);
    expect(await weft('migrate', run, '--map', 'book=reserve')).toEqual({ code: 0, out: `${run}  version 2\n` });
    const versions = await weft('versions', 'trip', '--deprecate', '1', '--reason', 'old name');
    expect(versions.out).toMatch(/ 2 {2}\S+\n {3}1 {2}\S+ {2}deprecated: old name\n/);
  }, 90_000);
});
