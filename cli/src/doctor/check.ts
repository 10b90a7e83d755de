export type CheckLevel = 'OK' | 'WARN' | 'FAIL';

export type Check = {
  name: string;
  level: CheckLevel;
  detail: string;
  /** A command or one sentence; null where nothing is to be done. */
  fix: string | null;
};

export const ok = (name: string, detail: string): Check => ({ name, level: 'OK', detail, fix: null });
export const warn = (name: string, detail: string, fix: string): Check => ({ name, level: 'WARN', detail, fix });
export const fail = (name: string, detail: string, fix: string): Check => ({ name, level: 'FAIL', detail, fix });

export function describeCheck({ name, level, detail, fix }: Check): string {
  return `${level.padEnd(4)}  ${name.padEnd(18)} ${detail}${fix === null ? '' : `; fix: ${fix}`}`;
}

/** The reason of a failed connection; Node gives some of them an empty message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}
