/**
 * npm leaves optional packages of other platforms out of package-lock.json when the registry cannot show them at the moment, and
 * `npm ci` then refuses the whole file. This adds the missing entries, with the version that their parent asks for (`npm run lock`).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LockPackages, missingOptionalPackages } from './missing-optional-packages.ts';

const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockPackages };
for (const { name, version, dev } of missingOptionalPackages(lock.packages)) {
  lock.packages[`node_modules/${name}`] = {
    version,
    ...dev,
    ...platformOf(name),
    optional: true,
  } as LockPackages[string];
  process.stderr.write(`added ${name}@${version}\n`);
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** The platform in the registry's newest version; without it npm would try to install the package everywhere. */
function platformOf(name: string): Record<string, unknown> {
  const answer = execFileSync('npm', ['view', name, 'os', 'cpu', 'libc', '--json'], { encoding: 'utf8' });
  const { os, cpu, libc } = JSON.parse(answer) as Record<string, string | string[] | undefined>;
  const list = (value: string | string[]) => (typeof value === 'string' ? [value] : value);
  return { ...(cpu && { cpu: list(cpu) }), ...(libc && { libc: list(libc) }), ...(os && { os: list(os) }) };
}
