import type { FinishReason, TokenUsage } from './generation.ts';
import type { ToolCallPart } from './message.ts';

/** Where tokens come from. `attempt` counts the attempts of the activity. */
export type TokenPlace = { runId: string; nodeId: string; iteration: string; attempt: number };

/**
 * What is seen while a model answers. `reset`: what came before is void, as it begins again. `end` has the hash of the text of the
 * durable result, by which whoever has collected the text sees that it is the same.
 */
export type TokenEvent =
  | { type: 'start'; provider: string; model: string }
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'tool-call'; call: ToolCallPart }
  | { type: 'reset'; reason: 'retry' | 'repair' }
  | {
      type: 'end';
      hash: string;
      characters: number;
      provider: string;
      model: string;
      finishReason: FinishReason;
      usage: TokenUsage | null;
    }
  | { type: 'error'; code: string; message: string };

/** An event with its place in the order: later attempts come after earlier ones. */
export type TokenRecord = {
  attempt: number;
  seq: number;
  at: Date;
  event: TokenEvent;
  /** Nothing follows. */
  isLast?: true;
};

export interface TokenWriter {
  write(event: TokenEvent): void;
  /** Resolves when all that was written is on its way to the readers, or given up. */
  close(): Promise<void>;
}

/** Takes tokens from activities to whoever looks. It never fails a call: what is lost was only a preview. */
export interface TokenPublisher {
  open(place: TokenPlace): TokenWriter;
}
