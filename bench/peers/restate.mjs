import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as restate from '@restatedev/restate-sdk';
import { measure, STEPS } from './measure.mjs';

const chain = restate.service({
  name: 'chain',
  handlers: {
    run: async (context) => {
      let value = 0;
      for (let index = 0; index < STEPS; index += 1) value = await context.run(`step${index}`, () => value + 1);
      return value;
    },
  },
});

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const [ingress, admin, node, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
const folder = mkdtempSync(join(tmpdir(), 'weft-bench-restate-'));
const manifest = createRequire(import.meta.url).resolve('@restatedev/restate-server/package.json');
const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
const script = join(manifest, '..', typeof bin === 'string' ? bin : bin['restate-server']);
const server = spawn(process.execPath, [script, '--base-dir', folder, '--node-name', 'bench'], {
  detached: true,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RESTATE_LOG_FILTER: 'error',
    RESTATE_DISABLE_TELEMETRY: 'true',
  },
});
const stop = () => {
  try {
    process.kill(-server.pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
  rmSync(folder, { recursive: true, force: true });
};
process.on('exit', stop);

await restate.endpoint().bind(chain).listen(service);
for (let tries = 0; ; tries += 1) {
  const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
  }).catch(() => null);
  if (answer?.ok) break;
  if (tries > 120)
    throw new Error(`Restate did not take the deployment: ${answer ? await answer.text() : 'no answer'}`);
  await sleep(250);
}
await measure(async () => {
  const answer = await fetch(`http://127.0.0.1:${ingress}/chain/run`, { method: 'POST' });
  const value = await answer.json();
  if (value !== STEPS) throw new Error(`gave ${JSON.stringify(value)}`);
});
process.exit(0);
