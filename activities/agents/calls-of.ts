import type { AgentCall, Offer } from '../../domain/agents/agent.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { ToolCallPart } from '../../domain/models/message.ts';
import type { SchemaCheck } from '../models/matching-answer.ts';

/** The calls that a model asks for, each with what is known of the tool, or why it is not made. */
export function callsOf(
  asked: readonly ToolCallPart[],
  offers: readonly Offer[],
  most: number,
  check: SchemaCheck,
): AgentCall[] {
  return asked.map(({ id, name, input }, index) => {
    const offer = offers.find((one) => one.name === name);
    const call = { id, name, input, rule: -1, server: null, tool: null, readOnly: false };
    if (offer === undefined) return { ...call, refusal: `There is no tool ${name}.` };
    const { rule, server = null, tool = null, readOnly = false } = offer;
    const refusal = index >= most ? `Only ${most} calls are made in one turn.` : refusalOf(input, offer, check);
    return { ...call, rule, server, tool, readOnly, refusal };
  });
}

function refusalOf(input: ToolCallPart['input'], { parameters }: Offer, check: SchemaCheck): string | null {
  if (!isJsonObject(input)) return 'The arguments must be a JSON object.';
  const problem = check(parameters, input);
  return problem === null ? null : `The arguments do not match the schema: ${problem}`;
}
