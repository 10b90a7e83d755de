import { count, eventKind, group, nullable, oneOf, optional, text } from '../event-field.ts';

const OUTCOMES = ['OK', 'FAILED'] as const;

/** Which execution of a node called; all null for a call from outside a run. */
const place = {
  runId: nullable(text('Run id')),
  nodeId: nullable(text('Node id')),
  iteration: nullable(text('Which execution of the node')),
  attempt: nullable(count("Attempt of the node's activity")),
};
const outcome = {
  outcome: oneOf('Whether an answer came', OUTCOMES),
  error: nullable(
    group('Why there is none', { code: text('Code of the error table'), message: text('Explanation for people') }),
  ),
  durationMs: count('From the request to the answer'),
};

/** Calls to models, tools and HTTP services; a call that is answered from the effect ledger is not made again. */
export const CALL_EVENTS = {
  'model.called': eventKind('A language model was called', {
    ...place,
    provider: text('Provider'),
    model: nullable(text('The model that answered, or the one asked for')),
    promptHash: text('SHA-256 of what was asked, in hexadecimal; the text itself is not kept here'),
    inputTokens: nullable(count('Tokens read; null where the provider does not meter')),
    outputTokens: nullable(count('Tokens written; null where the provider does not meter')),
    cachedInputTokens: optional(nullable(count('Of the tokens read, those from the cache of the provider'))),
    reasoningTokens: optional(nullable(count('Of the tokens written, those not shown'))),
    costMicroUsd: nullable(count('Cost in millionths of a US dollar; null where no price is known')),
    finishReason: nullable(text('Why the model stopped')),
    ...outcome,
  }),
  'tool.called': eventKind('A tool was called, by HTTP, by MCP or otherwise', {
    ...place,
    kind: text('How it was called: http, mcp, ...'),
    tool: text('Which one: method and address without the query, or server and tool'),
    requestHash: text('SHA-256 of what was asked, in hexadecimal'),
    status: optional(nullable(count('HTTP status'))),
    ...outcome,
  }),
};
