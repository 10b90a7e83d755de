import { readValueFile } from '../definition-file.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import type { PromptsOptions, RenderOptions } from '../prompts-commands.ts';
import { UsageError } from '../usage-error.ts';

type Summary = { name: string; version: number; hash: string; createdBy: string | null; createdAt: string };
type Prompt = Summary & {
  description: string | null;
  template: string;
  system: string | null;
  variables: Record<string, { type: string; required?: boolean; default?: unknown; description?: string }>;
  versions: Summary[];
};
type Line = { kind: 'SAME' | 'REMOVED' | 'ADDED'; text: string };
type Rendered = { prompt: string; system: string | null };

const SUMMARY = 'name version hash createdBy createdAt';
const SIGNS = { SAME: ' ', REMOVED: '-', ADDED: '+' };

export async function listPrompts({ url, json }: PromptsOptions): Promise<number> {
  const { prompts } = await createGatewayClient(url)<{ prompts: (Summary & { description: string | null })[] }>(
    `{ prompts { ${SUMMARY} description } }`,
  );
  if (json) printJson(prompts);
  else
    printRows([
      ['NAME', 'VERSION', 'HASH', 'PUBLISHED', 'DESCRIPTION'],
      ...prompts.map((one) => [one.name, ...summaryRow(one), one.description ?? '-']),
    ]);
  return 0;
}

export async function publishPrompt(file: string, { url, json }: PromptsOptions): Promise<number> {
  const { publishPrompt: prompt } = await createGatewayClient(url)<{ publishPrompt: Summary }>(
    `mutation ($input: PromptInput!) { publishPrompt(input: $input) { ${SUMMARY} } }`,
    { input: readValueFile(file) },
  );
  if (json) printJson(prompt);
  else process.stdout.write(`${prompt.name}, version ${prompt.version}, ${prompt.hash}\n`);
  return 0;
}

export async function showPrompt(
  name: string,
  version: number | undefined,
  { url, json }: PromptsOptions,
): Promise<number> {
  const { prompt } = await createGatewayClient(url)<{ prompt: Prompt | null }>(
    `query ($name: String!, $version: Int) { prompt(name: $name, version: $version) {
       ${SUMMARY} description template system variables versions { ${SUMMARY} } } }`,
    { name, version },
  );
  if (prompt === null) throw new UsageError(`there is no prompt ${name}${version ? `, version ${version}` : ''}`, null);
  if (json) {
    printJson(prompt);
    return 0;
  }
  const { system, template, variables, versions, hash } = prompt;
  process.stdout.write(`${name}, version ${prompt.version}, ${hash}\n${prompt.description ?? ''}\n`);
  if (system !== null) process.stdout.write(`\nSYSTEM\n${system}\n`);
  process.stdout.write(`\nTEMPLATE\n${template}\n\n`);
  printRows([
    ['VARIABLE', 'TYPE', 'DEFAULT', 'DESCRIPTION'],
    ...Object.entries(variables).map(([variable, one]) => [
      variable,
      one.type,
      one.default === undefined ? (one.required === false ? 'none' : 'needed') : JSON.stringify(one.default),
      one.description ?? '-',
    ]),
  ]);
  process.stdout.write('\n');
  printRows([['VERSION', 'HASH', 'PUBLISHED'], ...versions.map(summaryRow)]);
  return 0;
}

const summaryRow = ({ version, hash, createdBy, createdAt }: Summary): string[] => [
  String(version),
  hash.slice(0, 12),
  createdBy === null ? createdAt : `${createdAt} by ${createdBy}`,
];

export async function diffPrompt(
  name: string,
  { from, to }: { from: number; to: number | undefined },
  { url, json }: PromptsOptions,
): Promise<number> {
  const { promptDiff } = await createGatewayClient(url)<{ promptDiff: Line[] }>(
    `query ($name: String!, $from: Int!, $to: Int) { promptDiff(name: $name, from: $from, to: $to) { kind text } }`,
    { name, from, to },
  );
  if (json) printJson(promptDiff);
  else process.stdout.write(promptDiff.map(({ kind, text }) => `${SIGNS[kind]} ${text}`.trimEnd() + '\n').join(''));
  return 0;
}

export async function renderPrompt(
  name: string,
  version: number | undefined,
  { url, json, variables }: RenderOptions,
): Promise<number> {
  const values = (await jsonOption('variables', variables)) ?? {};
  const { renderPrompt: rendered } = await createGatewayClient(url)<{ renderPrompt: Rendered }>(
    `query ($name: String!, $version: Int, $variables: JSON!) {
       renderPrompt(name: $name, version: $version, variables: $variables) { name version hash prompt system } }`,
    { name, version, variables: values },
  );
  if (json) printJson(rendered);
  else {
    const { system, prompt } = rendered;
    process.stdout.write(`${system === null ? '' : `SYSTEM\n${system}\n\nPROMPT\n`}${prompt}\n`);
  }
  return 0;
}
