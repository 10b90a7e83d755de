import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const WORKFLOW_CODE = ['workflows', 'domain', 'temporal/payload-converter.ts'];
const MOST_COMMITS = 20;
const run = promisify(execFile);

/** Which commits may have made a difference. */
export type CodeRange = {
  /** The commit that recorded the history; null when its build does not name one that is here. */
  from: string | null;
  to: string;
  /** There are changes that no commit has. */
  dirty: boolean;
  /** Those in the range that touch workflow code, the newest first; without `from` those after the event. */
  commits: string[];
};

/** Null outside of a git checkout. */
export async function codeRange(buildId: string | null, recordedAt: Date | null): Promise<CodeRange | null> {
  const to = await git('rev-parse', '--short', 'HEAD');
  if (to === null) return null;
  const from = await commitOf(buildId);
  const dirty = (await git('status', '--porcelain', '--', ...WORKFLOW_CODE)) !== '';
  const since = from === null ? (recordedAt === null ? null : `--since=${recordedAt.toISOString()}`) : `${from}..HEAD`;
  const log = since && (await git('log', '--oneline', `-${MOST_COMMITS}`, since, '--', ...WORKFLOW_CODE));
  return { from, to, dirty, commits: log ? log.split('\n') : [] };
}

/** A build id may be a commit, or have one in it. */
async function commitOf(buildId: string | null): Promise<string | null> {
  for (const [name] of (buildId ?? '').matchAll(/(?<![0-9a-f])[0-9a-f]{7,40}(?![0-9a-f])/g)) {
    const commit = await git('rev-parse', '--verify', '--quiet', '--short', `${name}^{commit}`);
    if (commit !== null) return commit;
  }
  return null;
}

async function git(...words: string[]): Promise<string | null> {
  try {
    return (await run('git', words, { cwd: ROOT })).stdout.trim();
  } catch {
    return null;
  }
}
