import { aligned } from '../aligned.ts';

export function printRows(rows: readonly (readonly string[])[]): void {
  if (rows.length > 0) process.stdout.write(`${aligned(rows)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
