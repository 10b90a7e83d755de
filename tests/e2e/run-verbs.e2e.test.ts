import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chain, type EngineSite, startEngineSite, transform } from './engine-site.ts';
import { startCli } from './weft-cli.ts';

let site: EngineSite;
let folder: string;

beforeAll(async () => {
  site = await startEngineSite();
  folder = await mkdtemp(join(tmpdir(), 'weft-verbs-'));
}, 120_000);
afterAll(async () => {
  await site?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function weft(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const url = `http://127.0.0.1:${site.stack.processes.gateway.port}/graphql`;
  const cli = startCli([...args, '--url', url], site.stack.env);
  return { code: await cli.ended, stdout: cli.stdout(), stderr: cli.stderr() };
}

async function fileOf(name: string, definition: object): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(definition));
  return file;
}

async function pauseOf(id: string): Promise<unknown> {
  const { data } = await site.stack.graphql.send('query ($id: ID!) { run(id: $id) { status paused { reason by } } }', {
    id,
  });
  return (data as { run: unknown }).run;
}

describe('a paused run', () => {
  it('says why and on whose behalf, until it is resumed', async () => {
    const id = await site.start({
      name: 'held',
      nodes: [{ id: 'hold', type: 'approval', config: { title: 'Go?' } }],
      edges: [],
    });
    expect((await weft('run', 'pause', id, '--reason', 'a look at it', '--by', 'ada')).stdout).toBe(
      `${id}  PAUSED: a look at it (by ada)\n`,
    );
    expect(await pauseOf(id)).toEqual({ status: 'PAUSED', paused: { reason: 'a look at it', by: 'ada' } });
    expect((await weft('run', 'show', id)).stdout).toContain('PAUSED: a look at it (by ada)');
    expect((await weft('run', 'resume', id)).code).toBe(0);
    expect((await weft('run', 'approve', id, 'hold')).code).toBe(0);
    expect((await weft('run', 'watch', id)).code).toBe(0);
    expect(await pauseOf(id)).toEqual({ status: 'COMPLETED', paused: null });
  }, 60_000);

  it('names the node whose failure holds it; a node that is skipped lets it go on', async () => {
    const id = await site.start({
      name: 'held-by-node',
      policies: { onNodeFailure: 'pause' },
      nodes: [
        { id: 'broken', type: 'fail', config: { code: 'OUT_OF_STOCK', message: 'no lamps' } },
        transform('after', 'nodes.broken.output.n + 1'),
      ],
      edges: chain('broken', 'after'),
      output: { n: 'nodes.after.output' },
    });
    await site.stack.graphql.until(id, ['PAUSED']);
    expect(await pauseOf(id)).toEqual({
      status: 'PAUSED',
      paused: { reason: 'Node broken failed: no lamps', by: null },
    });
    expect((await weft('run', 'skip', id, 'broken', '--output', '{"n": 1}')).code).toBe(0);
    const watched = await weft('run', 'watch', id);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('"n": 2');
  }, 60_000);
});

describe('a run', () => {
  it('is shown with its nodes, the runs that they started, and its events', async () => {
    await site.stack.graphql.publish({ name: 'inner', nodes: [transform('one', '1')], edges: [] });
    const id = await site.start({
      name: 'outer',
      nodes: [
        { id: 'child', type: 'subworkflow', config: { workflow: 'inner' } },
        { id: 'ask', type: 'approval', config: { title: 'Go?' } },
      ],
      edges: chain('child', 'ask'),
    });
    await site.stack.graphql.until(id, ['WAITING']);
    const { stdout } = await weft('run', 'show', id);
    expect(stdout).toMatch(/ask +approval +WAITING/);
    expect(stdout).toMatch(/CHILD +NODE +WORKFLOW[^]+ child +inner v1 +COMPLETED/);
    expect((await weft('run', 'reject', id, 'ask', '--by', 'ada', '--comment', 'no')).code).toBe(0);
    expect((await weft('run', 'watch', id)).stdout).toContain('by rejected');
    expect((await weft('run', 'events', id)).stdout).toMatch(/approval\.decided +ask +.*"decidedBy":"ada"/);
    const unknown = await weft('run', 'show', 'run-nobody');
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      'There is no run run-nobody\nhint: See them with: weft run list\n',
    ]);
  }, 60_000);
});

describe('a node between two attempts', () => {
  it('is said on the run, with why and when it goes on; it is tried at once when somebody wants it', async () => {
    const id = await site.start({
      name: 'unlucky',
      nodes: [
        {
          id: 'call',
          type: 'http',
          config: { url: 'http://weft.invalid/' },
          retry: { maximumAttempts: 5, initialIntervalMs: 600_000, maximumIntervalMs: 600_000 },
        },
      ],
      edges: [],
    });
    const retrying = /RETRYING: 1 attempt of call failed, the next begins at (.*Z): HTTP_/;
    const next = async (earlier?: string): Promise<string> => {
      for (const deadline = Date.now() + 30_000; ;) {
        const { stdout } = await weft('run', 'show', id);
        const [, at] = retrying.exec(stdout) ?? [];
        if (at !== undefined && at !== earlier) return at;
        if (Date.now() > deadline) throw new Error(stdout);
      }
    };
    const first = await next();
    const { stdout } = await weft('run', 'show', id);
    expect(stdout).toContain(`hint: Try it at once with: npm run weft -- run retry ${id} call`);
    expect((await weft('run', 'retry', id, 'call')).code).toBe(0);
    expect(Date.parse(await next(first))).toBeGreaterThan(Date.parse(first));
    expect((await weft('run', 'skip', id, 'call')).code).toBe(0);
    expect((await weft('run', 'watch', id)).code).toBe(0);
  }, 90_000);
});

describe('runs in a list', () => {
  it('are found by status in any case and by what started them', async () => {
    const { stdout } = await weft('run', 'list', '--status', 'completed', '--trigger', 'manual', '--json');
    const found = JSON.parse(stdout) as { status: string }[];
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ status }) => status === 'COMPLETED')).toBe(true);
    expect(JSON.parse((await weft('run', 'list', '--trigger', 'schedule:none', '--json')).stdout)).toEqual([]);
    expect(await weft('batch', 'start', 'explode')).toMatchObject({ code: 2 });
  }, 60_000);
});

describe('weft run start', () => {
  it('starts the version that is asked for', async () => {
    const publish = (value: string) =>
      site.stack.graphql.publish({ name: 'edition', nodes: [transform('one', value)], edges: [] });
    await publish('1');
    await publish('2');
    const started = await weft('run', 'start', 'edition', '--version', '1', '--wait', '20000', '--json');
    expect(JSON.parse(started.stdout)).toMatchObject({ status: 'COMPLETED', workflow: { version: 1 } });
  }, 60_000);
});

describe('weft draft', () => {
  it('keeps a draft with problems, and refuses one that somebody else has saved meanwhile', async () => {
    const draft = await fileOf('draft.json', { name: 'sketch', nodes: [{ id: 'a', type: 'nothing' }], edges: [] });
    const saved = await weft('draft', 'save', draft);
    expect([saved.code, saved.stdout]).toEqual([0, expect.stringContaining('NODE_TYPE_UNKNOWN')]);
    expect((await weft('draft', 'save', draft)).stderr).toContain('DRAFT_CONFLICT');
    expect((await weft('draft', 'publish', 'sketch', '--revision', '1')).stderr).toContain('DEFINITION_INVALID');
    expect((await weft('draft', 'discard', 'sketch', '--revision', '1')).code).toBe(0);
    expect((await weft('draft', 'show', 'sketch')).code).toBe(2);
  }, 60_000);
});
