/** What a command was given cannot be used; said in one sentence, with what to do about it. */
export class UsageError extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}
