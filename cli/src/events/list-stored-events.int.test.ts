import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recordEvents } from '../../../adapters/postgres/record-events.ts';
import { type Doors, openDoors } from '../../../tests/doors.ts';

const MAIN = join(import.meta.dirname, '../main.ts');

describe('weft events list and stream', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors();
    for (const id of ['nightly', 'hourly', 'nightly']) {
      const payload = { id, by: 'ada', note: null };
      await recordEvents(doors.pool, 'default', [{ type: 'schedule.paused', id, correlationId: 'work', payload }]);
    }
  }, 60_000);
  afterAll(() => doors.close());

  const weft = (...words: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const { WEFT_OPERATOR_TOKEN: token } = doors.settings;
      const env = { ...process.env, NODE_OPTIONS: '', ...(token ? { WEFT_TOKEN: token } : {}) };
      const args = [MAIN, 'events', ...words, '--url', `${doors.gatewayUrl}/graphql`];
      execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });

  it('gives pages of what is asked for, as JSON and as a table', async () => {
    const first = JSON.parse((await weft('list', '--type', 'schedule.*', '--first', '2', '--json')).stdout);
    expect(first.events.map(({ streamId }: { streamId: string }) => streamId)).toEqual([
      'schedule/nightly',
      'schedule/hourly',
    ]);
    const rest = await weft('list', '--correlation', 'work', '--from', first.next, '--json');
    expect(JSON.parse(rest.stdout)).toMatchObject({
      events: [{ streamId: 'schedule/nightly', version: 2 }],
      next: null,
    });
    const table = await weft('list', '--stream', 'schedule/hourly', '--newest');
    expect(table.stdout).toMatch(
      /^POSITION +AT +TYPE +STREAM +VERSION +PAYLOAD\n\d+ .*schedule\.paused +schedule\/hourly +1 /,
    );
  });

  it('gives every type, and the schema of one', async () => {
    const types = JSON.parse((await weft('types', '--json')).stdout) as { type: string }[];
    expect(types.map(({ type }) => type)).toEqual(expect.arrayContaining(['node.failed', 'model.called']));
    expect(JSON.parse((await weft('types', 'schedule.paused')).stdout)).toMatchObject({
      required: ['id', 'by', 'note'],
    });
    expect((await weft('types', 'no.such')).code).toBe(1);
  });

  it('gives a stream from a version on, and says by its exit code that there is none', async () => {
    const { stdout, code } = await weft('stream', 'schedule/nightly', '--from-version', '2', '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ version: 2, payload: { by: 'ada' } }]);
    expect(code).toBe(0);
    expect((await weft('stream', 'schedule/none')).code).toBe(1);
    const refused = await weft('list', '--type', 'every thing');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('INPUT_INVALID') });
  });
});
