import { createHash } from 'node:crypto';
import type { Completion } from '../../domain/models/activities.ts';
import type { TokenEvent, TokenPlace, TokenPublisher } from '../../domain/models/token-event.ts';

export type TokenPreview = {
  /** Null where nobody looks. */
  onToken: ((event: TokenEvent) => void) | null;
  ended: (completion: Completion) => void;
  failed: (code: string, message: string) => void;
  close: () => void;
};

/** What readers see of one attempt: a reset where an earlier one may have shown something, and the whole text in any case. */
export function openPreview(tokens: TokenPublisher | null, place: TokenPlace): TokenPreview {
  if (tokens === null) {
    const nothing = () => undefined;
    return { onToken: null, ended: nothing, failed: nothing, close: nothing };
  }
  const writer = tokens.open(place);
  let shown = '';
  const write = (event: TokenEvent) => {
    if (event.type === 'text') shown += event.text;
    if (event.type === 'reset') shown = '';
    writer.write(event);
  };
  if (place.attempt > 1) write({ type: 'reset', reason: 'retry' });
  return {
    onToken: write,
    ended({ text, provider, model, finishReason, usage }) {
      // An answer from the effect ledger, or of a provider that does not stream, comes as one piece.
      if (shown === '' && text !== '') {
        write({ type: 'start', provider, model });
        write({ type: 'text', text });
      }
      const hash = createHash('sha256').update(text).digest('hex');
      writer.write({ type: 'end', hash, characters: text.length, provider, model, finishReason, usage });
    },
    failed: (code, message) => writer.write({ type: 'error', code, message }),
    close: () => void writer.close(),
  };
}
