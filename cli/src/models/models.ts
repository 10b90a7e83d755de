import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { ModelsOptions } from '../models-commands.ts';

type Health = {
  worker: string;
  model: string;
  failures: number;
  openUntil: string | null;
  lastErrorCode: string | null;
};
type Provider = {
  name: string;
  isReady: boolean;
  missing: string | null;
  isDefault: boolean;
  isEmbeddingDefault: boolean;
  defaultModel: string;
  embeddingModel: string | null;
  capabilities: Record<string, boolean | string | number | null>;
  health: Health[];
};
type Test = {
  provider: string;
  model: string;
  text: string | null;
  durationMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
  error: { code: string; message: string; hint: string | null } | null;
};

const LIST = `{ models { name isReady missing isDefault isEmbeddingDefault defaultModel embeddingModel
  capabilities { generate extract stream tools images files schema reasoning caching embed contextTokens }
  health { worker model failures openUntil lastErrorCode lastErrorAt lastSuccessAt } } }`;
const TEST = `mutation ($provider: String!, $model: String) { testModel(provider: $provider, model: $model) {
  provider model text durationMs inputTokens outputTokens error { code message hint } } }`;

export async function listModels({ url, json }: ModelsOptions): Promise<number> {
  const { models } = await createGatewayClient(url)<{ models: Provider[] }>(LIST);
  if (json) {
    printJson(models);
    return 0;
  }
  const rows = models.map((one) => [
    `${one.name}${one.isDefault ? ' *' : ''}${one.isEmbeddingDefault ? ' +' : ''}`,
    one.missing ?? 'ready',
    one.defaultModel,
    one.embeddingModel ?? '-',
    abilitiesOf(one),
    troublesOf(one.health),
  ]);
  printRows([['PROVIDER', 'STATE', 'MODEL', 'EMBEDDINGS', 'CAN', 'TROUBLE'], ...rows]);
  process.stdout.write('* answers nodes that name no provider; + makes their embeddings\n');
  return 0;
}

function abilitiesOf({ capabilities }: Provider): string {
  const { schema } = capabilities;
  const names = Object.entries(capabilities).flatMap(([name, value]) => (value === true ? [name] : []));
  return [...names, ...(schema === 'native' ? ['schema'] : [])].join(' ');
}

function troublesOf(health: readonly Health[]): string {
  const troubles = health.filter(({ failures, openUntil }) => failures > 0 || openUntil !== null);
  return troubles
    .map(({ model, worker, failures, openUntil, lastErrorCode }) => {
      const open = openUntil !== null && Date.parse(openUntil) > Date.now() ? `, left alone until ${openUntil}` : '';
      return `${model} at ${worker}: ${failures} x ${lastErrorCode}${open}`;
    })
    .join('; ');
}

export async function testModel(
  provider: string,
  model: string | undefined,
  { url, json }: ModelsOptions,
): Promise<number> {
  const { testModel: test } = await createGatewayClient(url)<{ testModel: Test }>(TEST, { provider, model });
  if (json) printJson(test);
  else if (test.error) {
    const hint = test.error.hint === null ? '' : `\n  ${test.error.hint}`;
    process.stdout.write(`${test.provider}/${test.model}: ${test.error.code}: ${test.error.message}${hint}\n`);
  } else {
    const tokens = test.inputTokens === null ? '' : `, ${test.inputTokens} + ${test.outputTokens} tokens`;
    process.stdout.write(`${test.provider}/${test.model} in ${test.durationMs} ms${tokens}: ${test.text}\n`);
  }
  return test.error ? 1 : 0;
}
