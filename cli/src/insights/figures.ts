/** `0.8 ms`, `120 ms`, `3.4 s`, `2.5 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 3_600_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))}%`;

/** One line of a file of comma-separated values, as RFC 4180 has it. */
export function csvLine(cells: readonly unknown[]): string {
  return cells.map((cell) => quoted(cell === null || cell === undefined ? '' : String(cell))).join(',');
}

/** A spreadsheet takes a cell that begins like this for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function quoted(text: string): string {
  const plain = FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
