import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { ToolQuestion } from '../tools/tool-question.ts';
import type { Change } from './change.ts';
import type { Place } from './place.ts';
import type { RunEvent } from './run-event.ts';

type Decided = Pick<Extract<RunEvent, { type: 'approval.decided' }>, 'decision' | 'data'>;

/** What the tool asks, where the call did not end but asked; a result of a tool has no such field of its own. */
export function questionIn({ node }: Place, output: Json): ToolQuestion | null {
  if (node.type !== 'tool.call' || !isJsonObject(output)) return null;
  const question = output['inputRequired'];
  return isJsonObject(question) ? (question as unknown as ToolQuestion) : null;
}

/** The node waits for somebody to answer, without a worker and for as long as that takes. */
export function askQuestion(change: Change, place: Place, question: ToolQuestion): void {
  if (change.closing) return change.cancel(place);
  const input = change.get(place).input as JsonObject;
  change.set(place, { status: 'WAITING', input: { ...input, question }, due: false });
}

/** The call is sent again, with everything that was answered so far. */
export function answerQuestion(change: Change, place: Place, { decision, data }: Decided): void {
  const { question = null, answers = [], ...asked } = change.get(place).input as JsonObject;
  const answer =
    decision === 'APPROVED'
      ? { question, action: 'accept', content: data ?? null }
      : { question, action: 'decline', content: null };
  const given = [...(Array.isArray(answers) ? answers : []), answer];
  change.set(place, { status: 'PENDING', due: true, input: { ...asked, answers: given } });
}
