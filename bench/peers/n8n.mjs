import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measure, STEPS } from './measure.mjs';

const ID = 'benchchain0000001';
const program = join(import.meta.dirname, 'n8n/node_modules/n8n/bin/n8n');
const folder = mkdtempSync(join(tmpdir(), 'weft-bench-n8n-'));
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const env = {
  ...process.env,
  N8N_USER_FOLDER: folder,
  N8N_PORT: String(port),
  N8N_LISTEN_ADDRESS: '127.0.0.1',
  N8N_DIAGNOSTICS_ENABLED: 'false',
  N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
  N8N_TEMPLATES_ENABLED: 'false',
};

/** A webhook and then nodes that count; progress is saved after every node, as the others do. */
function chain() {
  const names = Array.from({ length: STEPS }, (_, index) => `s${index}`);
  const link = (name) => ({ main: [[{ node: name, type: 'main', index: 0 }]] });
  const webhook = {
    ...{ id: 'w', name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0] },
    webhookId: 'chain',
    parameters: { path: 'chain', httpMethod: 'POST', responseMode: 'lastNode' },
  };
  const counting = { id: 'a', name: 'value', value: '={{ ($json.value || 0) + 1 }}', type: 'number' };
  return {
    ...{ id: ID, name: 'chain', active: true, pinData: {}, meta: {}, versionId: 'v1' },
    nodes: [
      webhook,
      ...names.map((name, index) => ({
        ...{ id: name, name, type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [200 * (index + 1), 0] },
        parameters: { assignments: { assignments: [counting] }, options: {} },
      })),
    ],
    connections: {
      Webhook: link('s0'),
      ...Object.fromEntries(names.slice(1).map((name, index) => [names[index], link(name)])),
    },
    settings: { executionOrder: 'v1', saveExecutionProgress: true, saveDataSuccessExecution: 'all' },
  };
}

const file = join(folder, 'chain.json');
writeFileSync(file, JSON.stringify(chain()));
execFileSync(process.execPath, [program, 'import:workflow', `--input=${file}`], { env, stdio: 'ignore' });
execFileSync(process.execPath, [program, 'publish:workflow', `--id=${ID}`], { env, stdio: 'ignore' });
const server = spawn(process.execPath, [program, 'start'], { env, detached: true, stdio: 'ignore' });
process.on('exit', () => {
  try {
    process.kill(-server.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
  rmSync(folder, { recursive: true, force: true });
});
const call = () => fetch(`http://127.0.0.1:${port}/webhook/chain`, { method: 'POST' });
for (let tries = 0; !(await call().catch(() => null))?.ok; tries += 1) {
  if (tries > 240) throw new Error('n8n did not start');
  await sleep(500);
}
await measure(async () => {
  const { value } = await (await call()).json();
  if (value !== STEPS) throw new Error(`gave ${value}`);
});
process.exit(0);
