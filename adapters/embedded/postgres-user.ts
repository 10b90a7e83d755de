import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../../domain/errors.ts';

const run = promisify(execFile);

/** How to run Postgres' programs: as ourselves, or, for root, as the user `postgres`. */
export type PostgresUser = {
  uid?: number;
  gid?: number;
  /** Put before every command. */
  prefix: readonly string[];
};

/** Postgres refuses to run as root, so root gives way to the user `postgres`, made when it is missing. */
export async function postgresUser(paths: readonly string[]): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const { uid, gid } = (await findUser()) ?? (await createUser());
  const closed = await firstClosedFolder(paths, uid, gid);
  if (closed === null) return { uid, gid, prefix: [] };
  return { prefix: await enterClosedFolders(closed, uid, gid) };
}

async function findUser(): Promise<{ uid: number; gid: number } | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

async function createUser(): Promise<{ uid: number; gid: number }> {
  try {
    await run('groupadd', ['--system', 'postgres']);
    await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/bin/false', 'postgres']);
  } catch (cause) {
    throw new AppError(
      'SETUP_INCOMPLETE',
      {
        detail:
          'Postgres does not run as root and the user `postgres` could not be made; make it, or set DATABASE_URL.',
      },
      cause,
    );
  }
  const user = await findUser();
  if (user === null)
    throw new AppError('SETUP_INCOMPLETE', {
      detail: 'The user `postgres` was made but cannot be found; set DATABASE_URL.',
    });
  return user;
}

async function firstClosedFolder(paths: readonly string[], uid: number, gid: number): Promise<string | null> {
  for (const path of paths) {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const { mode, uid: owner, gid: group } = await stat(folder);
      const bit = owner === uid ? constants.S_IXUSR : group === gid ? constants.S_IXGRP : constants.S_IXOTH;
      if ((mode & bit) === 0) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return null;
}

/**
 * A clone below /root cannot be entered by `postgres`. Linux can lend its programs the one capability they lack, which changes no
 * permission of the user's folders; a container without the narrow capability has the wider one.
 */
async function enterClosedFolders(closed: string, uid: number, gid: number): Promise<string[]> {
  const setpriv = await firstAccessible(['/usr/bin/setpriv', '/bin/setpriv', '/sbin/setpriv']);
  const capability = await lendableCapability();
  if (setpriv === null || capability === null) {
    throw new AppError('SETUP_INCOMPLETE', {
      detail: `The user \`postgres\` cannot enter ${closed}; move the clone to a folder others may enter, or set DATABASE_URL.`,
    });
  }
  const lend = [`--inh-caps=-all,+${capability}`, `--ambient-caps=-all,+${capability}`];
  // Without this bit access(2), by which Postgres looks at its own programs, would not count the lent capability.
  lend.push('--securebits=+no_setuid_fixup');
  return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...lend];
}

async function lendableCapability(): Promise<string | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const mayLend = (permitted & (1n << 8n)) !== 0n;
  if (!mayLend) return null;
  if (permitted & (1n << 2n)) return 'dac_read_search';
  return permitted & (1n << 1n) ? 'dac_override' : null;
}

async function firstAccessible(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // The next place.
    }
  }
  return null;
}
