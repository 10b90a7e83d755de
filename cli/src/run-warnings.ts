/** Why a run does not go on, as the runs subgraph says it. */
export type RunWarning = { code: string; message: string; hint: string; nodeId: string | null };

export const WARNING_FIELDS = 'code message hint nodeId';

/** Says each warning once, as long as it lasts; a wait that is over may be said again. */
export function createWarningTeller(tell: (line: string) => void): (warnings: readonly RunWarning[]) => void {
  let told: ReadonlySet<string> = new Set();
  return (warnings) => {
    const lines = warnings.map(({ code, message, hint }) => `${code}: ${message}\nhint: ${hint}`);
    for (const line of lines) if (!told.has(line)) tell(line);
    told = new Set(lines);
  };
}
