import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { ModelsOptions } from '../models-commands.ts';
import { UsageError } from '../usage-error.ts';

export type PriceOptions = ModelsOptions & {
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
  remove?: boolean;
};
export type QuotaOptions = ModelsOptions & { requests?: number; tokens?: number; remove?: boolean };
type Price = { provider: string; model: string } & Record<
  'input' | 'output' | 'cacheRead' | 'cacheWrite',
  number | null
>;
type Quota = { provider: string; model: string; requestsPerMinute: number | null; tokensPerMinute: number | null };

const PRICE = 'provider model input output cacheRead cacheWrite';
const QUOTA = 'provider model requestsPerMinute tokensPerMinute';

export async function listPrices({ url, json }: ModelsOptions): Promise<number> {
  const { modelPrices } = await createGatewayClient(url)<{ modelPrices: Price[] }>(`{ modelPrices { ${PRICE} } }`);
  if (json) printJson(modelPrices);
  else {
    const rows = modelPrices.map((one) => [
      `${one.provider}/${one.model}`,
      ...[one.input, one.output, one.cacheRead ?? one.input, one.cacheWrite ?? one.input].map((value) =>
        dollars(value),
      ),
    ]);
    printRows([['MODEL', 'INPUT', 'OUTPUT', 'CACHE READ', 'CACHE WRITE'], ...rows]);
  }
  return 0;
}

export async function setPrice(name: string, options: PriceOptions): Promise<number> {
  const { url, input, output, cacheRead, cacheWrite, remove } = options;
  const of = partsOf(name);
  const ask = createGatewayClient(url);
  if (remove)
    await ask(
      'mutation ($provider: String!, $model: String!) { removeModelPrice(provider: $provider, model: $model) }',
      of,
    );
  else {
    if (input === undefined || output === undefined) throw new UsageError('a price needs --input and --output', null);
    const price = { ...of, input, output, cacheRead, cacheWrite };
    await ask(`mutation ($input: ModelPriceInput!) { saveModelPrice(input: $input) { ${PRICE} } }`, { input: price });
  }
  return listPrices(options);
}

export async function listQuotas({ url, json }: ModelsOptions): Promise<number> {
  const { providerQuotas } = await createGatewayClient(url)<{ providerQuotas: Quota[] }>(
    `{ providerQuotas { ${QUOTA} } }`,
  );
  if (json) printJson(providerQuotas);
  else {
    const rows = providerQuotas.map(({ provider, model, requestsPerMinute, tokensPerMinute }) => [
      `${provider}/${model === '' ? '*' : model}`,
      ...[requestsPerMinute, tokensPerMinute].map((limit) => String(limit ?? '-')),
    ]);
    printRows([['MODEL', 'REQUESTS A MINUTE', 'TOKENS A MINUTE'], ...rows]);
  }
  return 0;
}

export async function setQuota(name: string, options: QuotaOptions): Promise<number> {
  const { url, requests, tokens, remove } = options;
  const of = name.includes('/') ? partsOf(name) : { provider: name, model: '' };
  const ask = createGatewayClient(url);
  if (remove)
    await ask(
      'mutation ($provider: String!, $model: String!) { removeProviderQuota(provider: $provider, model: $model) }',
      of,
    );
  else {
    const input = { ...of, requestsPerMinute: requests, tokensPerMinute: tokens };
    await ask(`mutation ($input: ProviderQuotaInput!) { saveProviderQuota(input: $input) { ${QUOTA} } }`, { input });
  }
  return listQuotas(options);
}

function partsOf(name: string): { provider: string; model: string } {
  const slash = name.indexOf('/');
  if (slash < 1) throw new UsageError(`${name} is not provider/model`, null);
  return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
}

const dollars = (microUsd: number | null): string => (microUsd === null ? '-' : `$${(microUsd / 1e6).toFixed(4)}`);
