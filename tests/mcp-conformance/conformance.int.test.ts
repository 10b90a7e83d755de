import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../doors.ts';
import { ROOT } from '../source-files.ts';
import { startFixture } from './fixture.ts';

const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const EXPECTED = ['--expected-failures', join(ROOT, 'tests/mcp-conformance/expected-failures.yml')];
const CLIENT = `${process.execPath} ${join(ROOT, 'tests/mcp-conformance/client.ts')}`;
/** Scenarios need tools, prompts and resources of given names; these are what every server has. */
const OF_ANY_SERVER = ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'];
const OF_CLIENTS = [
  ...['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'],
  'auth/client-credentials-basic',
];

let folder: string;
let doors: Doors;
let fixture: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-conformance-'));
  [doors, fixture] = await Promise.all([openDoors(), startFixture()]);
}, 120_000);
afterAll(async () => {
  await fixture?.close();
  await doors?.close();
  await rm(folder, { recursive: true, force: true });
});

const env = { ...process.env, NODE_OPTIONS: '' };
const suite = (...args: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, [SUITE, ...args, '-o', folder], { env, cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, output: `${stdout}\n${stderr}` }),
    );
  });
async function passes(...args: string[]): Promise<void> {
  const { code, output } = await suite(...args);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
}

describe('the conformance suite of MCP', () => {
  it(
    'finds in our serving code what it looks for, but for what the list of expected failures says',
    () => passes('server', ...['--url', fixture.url, '--suite', 'all'], ...EXPECTED),
    120_000,
  );

  it.each(OF_ANY_SERVER)(
    'finds nothing wrong with /mcp in %s',
    (scenario) => passes('server', '--url', `${doors.apiUrl}/mcp`, '--scenario', scenario),
    60_000,
  );

  it.each(OF_CLIENTS)(
    'finds nothing wrong with our client in %s',
    (scenario) => passes('client', '--command', CLIENT, '--scenario', scenario, ...EXPECTED),
    60_000,
  );
});
