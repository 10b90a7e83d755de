import type { SummarizeInput, SummarizeOutput } from '../../domain/agents/activities.ts';
import { NOTHING_SPENT } from '../../domain/agents/agent.ts';
import { splitForSummary } from '../../domain/agents/conversation.ts';
import { assistantParts, type Message, textOf, userParts } from '../../domain/models/message.ts';
import { heartbeatWhile } from '../heartbeat-while.ts';
import { askModels, type CompleteDependencies } from '../models/complete.ts';
import { requestOptions } from '../models/completion-request.ts';

const DEFAULT_KEEP = 8;
const INSTRUCTION = `Sum up this conversation of an agent for the agent itself, which will see nothing else of it. Keep what was asked for, what was \
decided, every fact, name, number and address that may be needed again, what tools gave, and what is still to be done. Write no introduction.`;

/** Written as text: a model would otherwise go on with the conversation, and calls need their tools to be offered. */
export function summarize(dependencies: CompleteDependencies) {
  return (input: SummarizeInput): Promise<SummarizeOutput> =>
    heartbeatWhile(async (signal) => {
      const { messages, keep = DEFAULT_KEEP, spent = NOTHING_SPENT } = input;
      const { old, recent } = splitForSummary(messages, keep);
      if (old.length === 0) return { messages, summarized: 0, spent, usage: null, costMicroUsd: null };
      const source = old.map(asText).join('\n\n');
      const request = {
        messages: [
          { role: 'system' as const, content: INSTRUCTION },
          { role: 'user' as const, content: 'Sum up the conversation.' },
        ],
        source,
        ...requestOptions(input),
      };
      const { text, usage, costMicroUsd } = await askModels(
        dependencies,
        { choice: input, request, stream: false },
        signal,
      );
      const summary: Message = { role: 'user', content: `Summary of our conversation so far:\n\n${text}` };
      return {
        messages: [summary, ...recent],
        summarized: old.length,
        spent: {
          ...spent,
          inputTokens: spent.inputTokens + (usage?.inputTokens ?? 0),
          outputTokens: spent.outputTokens + (usage?.outputTokens ?? 0),
          costMicroUsd: spent.costMicroUsd + (costMicroUsd ?? 0),
        },
        usage,
        costMicroUsd,
      };
    });
}

function asText({ role, content }: Message): string {
  if (role === 'tool') return content.map(({ name, output }) => `[${name} gave ${JSON.stringify(output)}]`).join('\n');
  if (role !== 'assistant') return `${role}: ${textOf(userParts(content))}`;
  const parts = assistantParts(content);
  const calls = parts.flatMap((part) =>
    part.type === 'tool-call' ? [`[calls ${part.name} with ${JSON.stringify(part.input)}]`] : [],
  );
  return [`assistant: ${textOf(parts)}`, ...calls].join('\n');
}
