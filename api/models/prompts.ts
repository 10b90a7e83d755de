import { listPrompts, listPromptVersions, readPrompt, savePrompt } from '../../adapters/postgres/prompt-store.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import { AppError } from '../../domain/errors.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { type DiffLine, diffLines } from '../../domain/models/diff-lines.ts';
import {
  checkPrompt,
  type Prompt,
  promptLines,
  promptText,
  type PromptVariables,
  renderPrompt,
} from '../../domain/models/prompt.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from '../runs/deps.ts';

type Deps = Pick<RunsDeps, 'pool'>;
export type PromptInput = {
  name: string;
  template: string;
  system?: string | null;
  variables?: Json;
  description?: string | null;
};
export type PromptVersion = { name: string; version?: number | null };
export type RenderedPrompt = { name: string; version: number; hash: string; prompt: string; system: string | null };

const MOST_VERSIONS = 1_000;
const MOST_DESCRIPTION = 2_000;

export const promptsOf = ({ pool }: Deps, { tenantId }: Principal): Promise<Prompt[]> => listPrompts(pool, tenantId);

export async function promptOf(
  { pool }: Deps,
  { tenantId }: Principal,
  { name, version = null }: PromptVersion,
): Promise<Prompt | null> {
  return (name.includes('\0') ? undefined : await readPrompt(pool, tenantId, name, version)) ?? null;
}

export const promptVersions = ({ pool }: Deps, { tenantId }: Principal, name: string, first: number) =>
  listPromptVersions(pool, tenantId, name, pageSize(first, 20, MOST_VERSIONS));

/** @throws INPUT_INVALID */
export async function publishPrompt({ pool }: Deps, principal: Principal, input: PromptInput): Promise<Prompt> {
  const { name, template, variables = {} } = input;
  const description = input.description ?? null;
  if (!isJsonObject(variables)) throw argumentInvalid('input/variables', 'must be {name: {type, ...}}');
  if (description !== null && (description.length > MOST_DESCRIPTION || description.includes('\0')))
    throw argumentInvalid('input/description', `must be text of at most ${MOST_DESCRIPTION} characters`);
  const content = { template, system: input.system ?? null, variables: variables as unknown as PromptVariables };
  checkPrompt(name, content);
  const by = principal.subject;
  const hash = contentHash(promptText(content));
  return recordedChange(pool, principal.tenantId, async (client) => {
    const { prompt, isNew } = await savePrompt(client, principal.tenantId, { ...content, name, hash, description, by });
    const payload = { name, version: prompt.version, hash, by };
    const published: SystemEvent = { type: 'prompt.published', id: name, payload };
    return { result: prompt, events: isNew ? [published] : [] };
  });
}

/** @throws NOT_FOUND */
export async function diffPrompt(
  deps: Deps,
  principal: Principal,
  { name, from, to = null }: { name: string; from: number; to?: number | null },
): Promise<DiffLine[]> {
  const [before, after] = await Promise.all([from, to].map((version) => existing(deps, principal, { name, version })));
  return diffLines(promptLines(before as Prompt), promptLines(after as Prompt));
}

/** @throws NOT_FOUND, TEMPLATE_FAILED */
export async function tryPrompt(
  deps: Deps,
  principal: Principal,
  { variables, ...of }: PromptVersion & { variables: Json },
): Promise<RenderedPrompt> {
  if (!isJsonObject(variables)) throw argumentInvalid('variables', 'must be {name: value}');
  const prompt = await existing(deps, principal, of);
  const { name, version, hash } = prompt;
  return { name, version, hash, ...renderPrompt(prompt, variables, new Date()) };
}

async function existing(deps: Deps, principal: Principal, of: PromptVersion): Promise<Prompt> {
  const prompt = await promptOf(deps, principal, of);
  if (prompt) return prompt;
  const version = typeof of.version === 'number' ? `, version ${of.version},` : '';
  throw new AppError('NOT_FOUND', { what: 'prompt', id: `${of.name}${version}` });
}
