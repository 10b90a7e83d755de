import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type LineLog = {
  /** JSON objects go as they are; anything else becomes the message of one. */
  write: (line: string) => void;
  /** What to look at when the writer has failed. */
  lastMessage: () => string;
  file: string;
  close: () => Promise<void>;
};

const ROTATE_BYTES = 20 * 1024 * 1024;

/** Appends JSON lines to `<folder>/<name>.log`; a large file of earlier starts is kept once, as `.log.1`. */
export function openLineLog(folder: string, name: string): LineLog {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.log`);
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
  const stream = createWriteStream(file, { flags: 'a' });
  let last = '';
  let problem = '';
  return {
    file,
    write(line) {
      if (line.trim() === '') return;
      const object = asObject(line);
      last = String(object?.['msg'] ?? line).trim();
      problem = (object ? errorOf(object) : errorIn(line)) ?? problem;
      stream.write(`${object ? line : JSON.stringify({ level: 30, time: Date.now(), name, msg: line })}\n`);
    },
    lastMessage: () => problem || last,
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

function asObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function errorOf(object: Record<string, unknown>): string | null {
  if (Number(object['level']) < 50) return null;
  const { message } = (object['err'] ?? {}) as { message?: unknown };
  return String(message ?? object['msg']);
}

/** The line of a stack trace that says what happened. */
function errorIn(line: string): string | null {
  return /^(?:Uncaught )?\w*Error(?: \[\w+\])?: (.+)$/.exec(line.trim())?.[1] ?? null;
}
