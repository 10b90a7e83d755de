import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';

const DOMAIN = join(import.meta.dirname, '../../domain');

/** Of everything that has a part in folding: a state that other code folded may look different. */
export const ENGINE_VERSION = `${INTERPRETER_VERSION}-${hashOf(['runs', 'events'])}`;

function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = readdirSync(join(DOMAIN, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).sort()) {
      hash.update(file).update(readFileSync(join(DOMAIN, folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
