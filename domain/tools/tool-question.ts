import type { JsonObject } from '../json.ts';

/** What a server asks its caller in the middle of a call (elicitation). */
export type ToolQuestion = {
  message: string;
  /** JSON Schema of an object: the form to fill in. */
  schema: JsonObject;
};

/** What was said to it. Kept with the node's input, and given each time that the call is sent again. */
export type ToolAnswer = { question: ToolQuestion; action: 'accept' | 'decline'; content: JsonObject | null };

/** More in one call, and it is given up. */
export const MOST_QUESTIONS = 20;
