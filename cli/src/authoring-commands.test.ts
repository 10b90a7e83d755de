import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'weft-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function weft(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'cli/src/main.ts'), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return { code: status, out: stdout, err: stderr };
}
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const SAMPLE = 'samples/workflows/research-brief.json';

describe('the verbs for files of workflows', () => {
  it('validate says every problem at its place, and 0 where there is none', () => {
    const broken = file(
      'broken.yaml',
      'name: x\nnodes:\n  - id: a\n    type: transform\n    config: { value: "1 +" }\nedges:\n  - { from: a, to: b }\n',
    );
    const { code, out } = weft('validate', broken, SAMPLE);
    expect(code).toBe(1);
    expect(out).toContain(`${broken}:5:15 EXPRESSION_INVALID`);
    expect(out).toContain(`${broken}:7:16 EDGE_TARGET_UNKNOWN`);
    expect(out).toContain(`${SAMPLE} is valid`);
    expect(weft('validate', 'samples/workflows/research-brief.ts').code).toBe(0);
    const schema = weft(
      'validate',
      '--json',
      file('schema.json', '{"name":"x","input":{"type":"objekt"},"nodes":[{"id":"a","type":"merge"}],"edges":[]}'),
    );
    const { valid, problems } = JSON.parse(schema.out) as { valid: boolean; problems: object[] };
    expect({ valid, first: problems[0] }).toMatchObject({
      valid: false,
      first: { code: 'INPUT_SCHEMA_INVALID', line: 1 },
    });
  });

  it('JSON, YAML and the builder are one definition', () => {
    const yaml = file('brief.yaml', weft('export', SAMPLE).out);
    expect(weft('diff', yaml, 'samples/workflows/research-brief.ts')).toMatchObject({
      code: 0,
      out: 'The two are the same.\n',
    });
    const changed = file(
      'changed.yaml',
      readFileSync(yaml, 'utf8').replace('maxOutputTokens: 320', 'maxOutputTokens: 300'),
    );
    expect(weft('diff', yaml, changed)).toMatchObject({
      code: 1,
      out: '~ node digest /config/maxOutputTokens: 320 -> 300\n',
    });
  });

  it('explain forecasts, simulate plays', () => {
    const explained = JSON.parse(weft('explain', SAMPLE, '--json').out) as { atMost: { modelCalls: number } };
    expect(explained.atMost.modelCalls).toBe(5);
    const results = file(
      'results.yaml',
      'page: { after: 2s, output: { status: 200, headers: {}, url: u, body: { sales: [], next: null } } }\nannounce: { output: { id: e } }\n',
    );
    const input = file('input.json', '{"shop":"http://shop.example.org","day":"2026-03-01"}');
    const { code, out } = weft(
      'simulate',
      'samples/workflows/nightly-report.yaml',
      '--results',
      results,
      '--input',
      input,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^ +2s {2}page +COMPLETED$/m);
    expect(out).toContain('COMPLETED after 2s, 2 calls');
    const refused = weft('simulate', 'samples/workflows/nightly-report.yaml');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("must have required property 'shop'");
  });

  it('test passes with the samples, and fails with what is not as expected, in JUnit too', () => {
    const passed = weft('test', 'samples/tests/order-saga.yaml');
    expect(passed.code).toBe(0);
    expect(passed.out).toContain('4 passed, 0 failed');
    const failing = file(
      'failing.yaml',
      `workflow: ${join(ROOT, 'samples/workflows/support-ticket.yaml')}\ntests:\n  - name: wrong & <odd>\n    given: { input: { ticket_id: T, customer_id: C, message: hello } }\n    then: { status: COMPLETED }\n`,
    );
    const junit = join(folder, 'junit.xml');
    const { code, out } = weft('test', failing, '--junit', junit);
    expect(code).toBe(1);
    expect(out).toContain('FAIL wrong & <odd>');
    expect(out).toContain('the run waits for results of send');
    expect(readFileSync(junit, 'utf8')).toMatch(
      /<testcase classname="support-ticket" name="wrong &amp; &lt;odd&gt;".*>\n +<failure message="status: expected &quot;COMPLETED&quot;/,
    );
  });

  it('import says on stderr what is not the same', () => {
    const { code, out, err } = weft('import', 'n8n', 'domain/authoring/import/fixtures/n8n-leads.json');
    expect(code).toBe(0);
    expect(out).toMatch(/^name: lead-intake-v2$/m);
    expect(err).toContain('Code: it runs code of its own.');
    expect(weft('import', 'n8n', SAMPLE)).toMatchObject({ code: 2, out: '' });
  });

  it('say in one sentence what they cannot use, with exit code 2', () => {
    expect(weft('validate', 'nowhere.yaml')).toMatchObject({ code: 2, err: 'There is no file nowhere.yaml\n' });
    expect(weft('explain', 'README.md')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^README.md is no definition/) as unknown,
    });
    expect(weft('import', 'zapier', SAMPLE).code).toBe(2);
    const two = file(
      'two.ts',
      `export const a = { name: 'a', nodes: [], edges: [] };\nexport const b = { name: 'b', nodes: [], edges: [] };\n`,
    );
    expect(weft('export', two).err).toContain(`several workflows: a, b\nhint: Name one: ${two}#a`);
  });
});
