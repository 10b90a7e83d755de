const CHARACTERS_PER_TOKEN = 4;

/** The usual rule of thumb for English; providers that meter report exact numbers instead. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}
