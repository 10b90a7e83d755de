import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseText } from '../../../sdk/src/index.ts';
import type { AgentOptions, StartAgentOptions } from '../agent-commands.ts';
import { printJson } from '../flow/print-rows.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import { UsageError } from '../usage-error.ts';

type Call = {
  name: string;
  input: unknown;
  status: string;
  waitsFor: string | null;
  path: string;
  refusal: string | null;
};
type Conversation = {
  runId: string;
  status: string;
  messages: { index: number; role: string; text: string }[];
  turns: { path: string; status: string; model: string | null; calls: Call[] }[];
  costMicroUsd: number;
  inputTokens: number;
  outputTokens: number;
};

const CONVERSATION = `runId status costMicroUsd inputTokens outputTokens messages { index role text }
  turns { path status model calls { name input status waitsFor path refusal } }`;
const CLOSED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];
const LOOK_MS = 300;

export async function saveAgent(name: string, file: string, { url, json }: AgentOptions): Promise<number> {
  const format = extname(file) === '.json' ? 'json' : 'yaml';
  const { value } = parseText(await readFile(file, 'utf8'), format);
  if (value === undefined) throw new UsageError(`${file} is not ${format}`, 'It holds the config of an `agent` node.');
  const { saveAgent: saved } = await createGatewayClient(url)<{ saveAgent: { id: string; version: number } }>(
    'mutation ($name: ID!, $config: JSON!) { saveAgent(name: $name, config: $config) { id version } }',
    { name, config: value },
  );
  if (json) printJson(saved);
  else process.stdout.write(`${saved.id} version ${saved.version}\n`);
  return 0;
}

async function start(ask: GatewayClient, name: string, message: string | null, options: StartAgentOptions) {
  const { system = null } = options;
  const values = (await jsonOption('values', options.values)) ?? null;
  const { startAgentChat } = await ask<{ startAgentChat: { id: string } }>(
    `mutation ($name: ID!, $message: String, $system: String, $values: JSON) {
      startAgentChat(name: $name, message: $message, system: $system, values: $values) { id } }`,
    { name, message, system, values },
  );
  return startAgentChat.id;
}

const read = async (ask: GatewayClient, run: string): Promise<Conversation | null> =>
  (
    await ask<{ agentConversation: Conversation | null }>(
      `query ($run: ID!) { agentConversation(runId: $run) { ${CONVERSATION} } }`,
      { run },
    )
  ).agentConversation;

export async function runAgent(name: string, prompt: string, options: StartAgentOptions): Promise<number> {
  const ask = createGatewayClient(options.url);
  const id = await start(ask, name, prompt, options);
  process.stderr.write(`run ${id}\n`);
  for (const told = new Set<string>(); ; await sleep(LOOK_MS)) {
    const { run } = await ask<{ run: { status: string; output: unknown; error: { code: string; message: string } } }>(
      'query ($id: ID!) { run(id: $id) { status output error { code message } } }',
      { id },
    );
    tellWaiting(await read(ask, id), told);
    if (!CLOSED.includes(run.status)) continue;
    if (options.json) printJson(run);
    else if (run.status === 'COMPLETED') process.stdout.write(`${(run.output as { text: string }).text}\n`);
    else process.stderr.write(`${run.status}: ${run.error?.code ?? ''} ${run.error?.message ?? ''}\n`);
    return run.status === 'COMPLETED' ? 0 : 1;
  }
}

/** A person has to know what to answer, once. */
function tellWaiting(conversation: Conversation | null, told: Set<string>): void {
  for (const call of conversation?.turns.flatMap(({ calls }) => calls) ?? []) {
    const { name, input, waitsFor, path } = call;
    if (waitsFor === null || told.has(`${waitsFor}#${path}`)) continue;
    told.add(`${waitsFor}#${path}`);
    const command = `weft run approve ${conversation?.runId ?? ''} ${waitsFor} --path ${path}`;
    process.stderr.write(`${name} ${JSON.stringify(input)} waits for an answer: ${command}\n`);
  }
}

export async function chatWithAgent(name: string, message: string | null, options: StartAgentOptions): Promise<number> {
  const ask = createGatewayClient(options.url);
  const run = await start(ask, name, message, options);
  process.stderr.write(`run ${run}\n`);
  const say = (text: string, end = false) => send(ask, run, text, end);
  const lines = createInterface({ input: process.stdin });
  let sending: Promise<unknown> = Promise.resolve();
  // One after the other, and each when the agent has answered the one before.
  lines.on('line', (line) => {
    if (line.trim() !== '') sending = sending.then(() => untilListening(ask, run)).then(() => say(line));
  });
  lines.on('close', () => {
    sending = sending.then(() => untilListening(ask, run)).then(() => say('', true));
  });
  const told = new Set<string>();
  for (let shown = 0; ; await sleep(LOOK_MS)) {
    const conversation = await read(ask, run);
    tellWaiting(conversation, told);
    for (const { role, text } of conversation?.messages.slice(shown) ?? []) {
      shown += 1;
      if (text !== '' && role !== 'TOOL') process.stdout.write(`${role === 'ASSISTANT' ? 'agent' : 'you'}: ${text}\n`);
    }
    if (conversation && CLOSED.includes(conversation.status)) {
      lines.close();
      await sending.catch(() => undefined);
      return conversation.status === 'COMPLETED' ? 0 : 1;
    }
  }
}

async function untilListening(ask: GatewayClient, run: string): Promise<void> {
  for (;;) {
    const { run: found } = await ask<{ run: { status: string; nodes: { id: string; status: string }[] } }>(
      'query ($run: ID!) { run(id: $run) { status nodes { id status } } }',
      { run },
    );
    const isListening = found.nodes.some(({ id, status }) => id === 'hear' && status === 'WAITING');
    if (isListening || CLOSED.includes(found.status)) return;
    await sleep(LOOK_MS);
  }
}

async function send(ask: GatewayClient, run: string, text: string, end: boolean): Promise<Conversation> {
  const { sendAgentMessage } = await ask<{ sendAgentMessage: Conversation }>(
    `mutation ($run: ID!, $text: String, $end: Boolean) {
      sendAgentMessage(runId: $run, text: $text, end: $end) { ${CONVERSATION} } }`,
    { run, text, end },
  );
  return sendAgentMessage;
}

export async function sayToAgent(run: string, text: string, { url, json }: AgentOptions): Promise<number> {
  const conversation = await send(createGatewayClient(url), run, text, false);
  if (json) printJson(conversation);
  else process.stdout.write(`told ${conversation.runId}\n`);
  return 0;
}

export async function showAgent(run: string, { url, json }: AgentOptions): Promise<number> {
  const conversation = await read(createGatewayClient(url), run);
  if (conversation === null) throw new UsageError(`there is no agent in run ${run}`, 'Name the run of an agent.');
  if (json) printJson(conversation);
  else printConversation(conversation);
  return 0;
}

function printConversation(conversation: Conversation): void {
  const { runId, status, messages, turns, costMicroUsd, inputTokens, outputTokens } = conversation;
  const lines = [
    ...messages.filter(({ text }) => text !== '').map(({ role, text }) => `${role.toLowerCase()}: ${text}`),
    '',
    ...turns.flatMap(({ path, status: state, model, calls }) => [
      `turn ${path}  ${state}  ${model ?? '-'}`,
      ...calls.map(({ name, input, status: how, refusal }) => `  ${name} ${JSON.stringify(input)}  ${refusal ?? how}`),
    ]),
    `run ${runId}  ${status}  ${inputTokens} + ${outputTokens} tokens  ${costMicroUsd} micro-USD`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
