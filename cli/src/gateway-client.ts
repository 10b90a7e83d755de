type GraphqlError = { message: string; extensions?: { code?: string; hint?: string; [key: string]: unknown } };

/** An answer of the gateway that names a code of the error table. */
export class GatewayError extends Error {
  readonly code: string;
  readonly hint: string | null;

  constructor(errors: readonly GraphqlError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'GatewayError';
    this.code = errors[0]?.extensions?.code ?? 'INTERNAL';
    this.hint = errors[0]?.extensions?.hint ?? null;
  }
}

export type GatewayClient = <Data>(query: string, variables?: Record<string, unknown>) => Promise<Data>;

/** One POST per call; GraphQL errors are thrown. */
export function createGatewayClient(url: string): GatewayClient {
  return async <Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(60_000),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: GraphqlError[] };
    if (errors !== undefined && errors.length > 0) throw new GatewayError(errors);
    return data as Data;
  };
}
