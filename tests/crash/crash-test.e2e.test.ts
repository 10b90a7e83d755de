import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';

const ROOT = join(import.meta.dirname, '../..');
const SAMPLE_INPUT = {
  title: 'Rain',
  document: 'Wheat needs rain in April. Glass bends light, and rain bends it too. '.repeat(10),
};
const purchase = (header: object): WorkflowDefinition => ({
  name: 'purchase',
  nodes: [
    { id: 'price', type: 'http', config: { url: 'https://shop.test/price' } },
    { id: 'ask', type: 'approval', config: { title: 'Buy?' } },
    { id: 'pay', type: 'http', config: { url: 'https://bank.test/pay', method: 'POST', ...header } },
  ],
  edges: [
    { from: 'price', to: 'ask' },
    { from: 'ask', port: 'approved', to: 'pay' },
  ],
  output: { paid: 'nodes.pay.output.body', answer: 'nodes.ask.output.decision' },
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-crash-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

async function crashTest(...args: string[]): Promise<{ code: unknown; report: any; told: string }> {
  return new Promise((resolve) => {
    const command = ['cli/src/main.ts', 'crash-test', ...args, '--json'];
    const env = { ...process.env, NODE_OPTIONS: '' };
    execFile(process.execPath, command, { cwd: ROOT, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      resolve({ code, told: stderr, report: stdout === '' ? null : JSON.parse(stdout) });
    });
  });
}

describe('weft crash-test', () => {
  it('kills the worker all over a run with calls and an approval, and finds nothing changed', async () => {
    const { code, report, told } = await crashTest(file('purchase.json', purchase({})), '--boundaries', '6');
    expect({ code, told }).toEqual({ code: 0, told: expect.stringContaining('undisturbed: COMPLETED') });
    expect(report.results).toHaveLength(6);
    for (const { run, verdict } of report.results) {
      expect(run).toMatchObject({ status: 'COMPLETED', output: { paid: { ok: true }, answer: 'APPROVED' } });
      expect(verdict).toMatchObject({ faults: [], effects: 1 });
    }
    expect(report.results.filter(({ run }: any) => run.crashedAfter !== null).length).toBeGreaterThanOrEqual(5);
  }, 300_000);

  it('kills it over a sample that reads a document', async () => {
    const input = file('input.json', SAMPLE_INPUT);
    const sample = join(ROOT, 'samples/workflows/research-brief.json');
    const { code, report, told } = await crashTest(sample, '--input', input, '--boundaries', '3');
    expect({ code, told }).toEqual({ code: 0, told: expect.stringContaining('undisturbed: COMPLETED') });
    expect(report.results).toHaveLength(3);
  }, 300_000);

  it('finds an effect that comes twice because the call has no key to be known by', async () => {
    const unkeyed = purchase({ headers: { 'idempotency-key': '' } });
    const { code, report } = await crashTest(file('unkeyed.json', unkeyed), '--boundaries', '8');
    expect({ code, sound: report?.sound }).toEqual({ code: 1, sound: false });
    const faulty = report.results.filter(({ verdict }: any) => verdict.faults.length > 0);
    expect(faulty.map(({ verdict }: any) => verdict.faults)).toContainEqual(['2 effects of POST /pay instead of 1']);
    for (const { run } of faulty) expect(['call', 'activity']).toContain(run.point.kind);
  }, 600_000);
});
