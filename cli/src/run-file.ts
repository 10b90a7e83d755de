import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running `weft start` tells other commands; lies in the data folder, readable by its owner alone. */
export type RunFile = {
  pid: number;
  startedAt: string;
  databaseUrl: string;
  temporalAddress: string;
  temporalUiUrl: string;
  namespace: string;
  graphqlUrl: string;
  apiUrl: string;
  /** Opens everything. */
  operatorToken: string;
  metricsUrls: Record<string, string>;
  pids: Record<string, number>;
};

export function runFilePath(dataDir: string): string {
  return join(dataDir, 'run.json');
}

export function writeRunFile(dataDir: string, content: Partial<RunFile>): void {
  mkdirSync(dataDir, { recursive: true });
  const partial = `${runFilePath(dataDir)}.new`;
  writeFileSync(partial, JSON.stringify(content, null, 2), { mode: 0o600 });
  renameSync(partial, runFilePath(dataDir));
}

/** Null when nothing runs, or nothing was ever started. */
export function readRunFile(dataDir: string): Partial<RunFile> | null {
  try {
    return JSON.parse(readFileSync(runFilePath(dataDir), 'utf8')) as Partial<RunFile>;
  } catch {
    return null;
  }
}

export function removeRunFile(dataDir: string): void {
  rmSync(runFilePath(dataDir), { force: true });
}
