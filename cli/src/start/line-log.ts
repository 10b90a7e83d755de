import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type LineLog = {
  /** JSON objects go as they are; anything else becomes the message of one. */
  write: (line: string) => void;
};

const ROTATE_BYTES = 20 * 1024 * 1024;

/** `<folder>/<name>.log`, to append to; a large file of earlier starts is kept once, as `.log.1`. */
export function logFile(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.log`);
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
  return file;
}

/** Appends JSON lines to a log file. */
export function openLineLog(folder: string, name: string): LineLog {
  const stream = createWriteStream(logFile(folder, name), { flags: 'a' });
  return {
    write(line) {
      if (line.trim() === '') return;
      const text = asObject(line) ? line : JSON.stringify({ level: 30, time: Date.now(), name, msg: line });
      stream.write(`${text}\n`);
    },
  };
}

/** The last thing that went wrong in the lines of a log; else the last thing that was said. */
export function lastProblem(lines: readonly string[]): string {
  const said = lines.filter((line) => line.trim() !== '');
  return said.map(problemIn).findLast((problem) => problem !== null) ?? said.at(-1)?.trim() ?? 'it said nothing';
}

function problemIn(line: string): string | null {
  const object = asObject(line);
  // A stack trace of Node's: the line that says what happened.
  if (object === null) return /^(?:Uncaught )?\w*Error(?: \[\w+\])?: (.+)$/.exec(line.trim())?.[1] ?? null;
  if (Number(object['level']) < 50) return null;
  const { message } = (object['err'] ?? {}) as { message?: string };
  return message ?? String(object['msg']);
}

function asObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
