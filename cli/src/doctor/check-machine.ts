import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import type { Settings } from '../../../config/settings.ts';
import { type Check, fail, ok, warn } from './check.ts';

const GIB = 1024 ** 3;

export function checkNode(version = process.versions.node): Check {
  const major = Number(version.split('.')[0]);
  if (major >= 24) return ok('Node', version);
  return fail('Node', `${version} is too old`, 'npm ci, then npm run weft -- doctor');
}

export async function checkDisk(dataDir: string): Promise<Check> {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIB;
  const detail = `${free.toFixed(1)} GiB free for ${dataDir}`;
  if (free < 0.25) return fail('Disk', detail, 'free some space, or set WEFT_DATA_DIR to another disk');
  if (free < 2) return warn('Disk', detail, 'free some space, or set WEFT_DATA_DIR to another disk');
  return ok('Disk', detail);
}

/** Only where nothing of ours runs: then every wanted port should be free. */
export async function checkFreePorts(settings: Settings): Promise<Check> {
  const wanted = {
    gateway: settings.GATEWAY_PORT,
    api: settings.PORT,
    metrics: settings.METRICS_PORT,
    ...(settings.DATABASE_URL === null ? { postgres: settings.WEFT_POSTGRES_PORT } : {}),
    ...(settings.TEMPORAL_ADDRESS === null
      ? { temporal: settings.WEFT_TEMPORAL_PORT, 'temporal ui': settings.WEFT_TEMPORAL_UI_PORT }
      : {}),
  };
  const busy: string[] = [];
  for (const [name, port] of Object.entries(wanted)) {
    if (port !== 0 && (await findFreePort(port, new Set())) !== port) busy.push(`${port} (${name})`);
  }
  if (busy.length === 0) return ok('Ports', `${Object.values(wanted).join(', ')} are free`);
  return warn(
    'Ports',
    `${busy.join(', ')} busy`,
    'nothing, the next free port is taken; or set another port, see docs/settings.md',
  );
}
