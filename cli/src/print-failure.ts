/** One sentence on stderr, and the hint that the error carries; stdout stays as it is. */
export function printFailure(error: unknown): void {
  const { code, message, hint } = describeFailure(error);
  process.stderr.write(`${code === null ? '' : `${code}: `}${message}\n`);
  if (hint !== null) process.stderr.write(`hint: ${hint}\n`);
}

function describeFailure(error: unknown): { code: string | null; message: string; hint: string | null } {
  if (!(error instanceof Error)) return { code: null, message: String(error), hint: null };
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  return {
    // A failed set-up is said in a sentence of its own; its code adds nothing.
    code: typeof code === 'string' && code !== 'SETUP_INCOMPLETE' ? code : null,
    message: error.message || String(code ?? error.name),
    hint: typeof hint === 'string' ? hint : null,
  };
}
