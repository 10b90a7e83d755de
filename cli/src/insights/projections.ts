import { setTimeout as sleep } from 'node:timers/promises';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import type { Shared } from '../insight-commands.ts';

const VIEW = `name state version position head lagEvents lagMs error { code message at }
  rebuild { version done total } builtAt followedAt`;
type Projection = {
  name: string;
  state: string;
  version: number;
  position: number;
  head: number;
  lagEvents: number;
  lagMs: number;
  error: { code: string; message: string; at: string } | null;
  rebuild: { version: number; done: number; total: number } | null;
  builtAt: string | null;
};

const LOOK_MS = 500;

export async function listProjections({ url, json }: Shared & { url: string }): Promise<number> {
  const projections = await read(createGatewayClient(url));
  if (json) printJson(projections);
  else {
    const rows = projections.map((one) => [
      one.name,
      one.state,
      String(one.version),
      reached(one),
      lag(one),
      note(one),
    ]);
    printRows([['NAME', 'STATE', 'VERSION', 'POSITION', 'LAG', ''], ...rows]);
  }
  return projections.some(({ state }) => state === 'FAILED') ? 1 : 0;
}

export async function changeProjection(
  mutation: 'rebuildProjection' | 'stopProjection' | 'startProjection',
  name: string,
  { url, json, wait }: Shared & { url: string; wait?: boolean },
): Promise<number> {
  const client = createGatewayClient(url);
  const changed = await client<Record<string, Projection>>(
    `mutation ($name: String!) { ${mutation}(name: $name) { ${VIEW} } }`,
    { name },
  );
  let projection = changed[mutation] as Projection;
  while (wait && projection.rebuild !== null && projection.state !== 'FAILED') {
    if (!json) process.stdout.write(`${name}: ${note(projection)}\n`);
    await sleep(LOOK_MS);
    projection = (await read(client)).find((one) => one.name === name) as Projection;
  }
  if (json) printJson(projection);
  else process.stdout.write(`${name}: ${[projection.state, note(projection)].filter(Boolean).join(', ')}\n`);
  return projection.state === 'FAILED' ? 1 : 0;
}

async function read(client: GatewayClient): Promise<Projection[]> {
  return (await client<{ projections: Projection[] }>(`query { projections { ${VIEW} } }`)).projections;
}

const reached = ({ position, head }: Projection): string => `${position} of ${head}`;
const lag = ({ lagEvents, lagMs }: Projection): string => (lagEvents === 0 ? '-' : `${lagEvents} events, ${lagMs} ms`);

function note({ error, rebuild }: Projection): string {
  if (error !== null) return `${error.code}: ${error.message}`;
  return rebuild === null ? '' : `version ${rebuild.version} is being built: ${rebuild.done} of ${rebuild.total}`;
}
