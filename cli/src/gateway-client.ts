import { tokenFor } from './access/credentials.ts';
import { UsageError } from './usage-error.ts';

type Problem = { code?: string; path?: string; message: string; hint?: string | null };
type GraphqlError = {
  message: string;
  extensions?: { code?: string; hint?: string; problems?: Problem[]; paths?: Problem[] };
};

/** An answer of the gateway that names a code of the error table. */
export class GatewayError extends Error {
  readonly code: string;
  readonly hint: string | null;

  constructor(errors: readonly GraphqlError[]) {
    const details = errors.flatMap(detailsOf);
    super([errors.map((error) => error.message).join('; '), ...details].join('\n  '));
    const { code, hint, problems, paths } = errors[0]?.extensions ?? {};
    this.name = 'GatewayError';
    this.code = code ?? 'INTERNAL';
    // It says where the details are, which are here.
    this.hint = problems === undefined && paths === undefined ? (hint ?? null) : null;
  }
}

/** What the message does not say already. */
function detailsOf({ message: sentence, extensions }: GraphqlError): string[] {
  const { problems = [], paths = [] } = extensions ?? {};
  return [...problems, ...paths]
    .filter(({ message }) => !sentence.includes(message))
    .map(({ code, path, message, hint }) =>
      [code, message, path ? `[${path}]` : '', hint ? `(${hint})` : ''].filter(Boolean).join(' '),
    );
}

export type GatewayClient = <Data>(query: string, variables?: Record<string, unknown>) => Promise<Data>;

/** One POST per call; GraphQL errors are thrown. With `token` null it says of nobody who asks. */
export function createGatewayClient(url: string, token?: string | null): GatewayClient {
  return async <Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> => {
    const bearer = token === undefined ? await tokenFor(url) : token;
    const { data, errors } = await post<Data>(url, JSON.stringify({ query, variables }), bearer ?? null);
    if (errors !== undefined && errors.length > 0) throw new GatewayError(errors);
    return data as Data;
  };
}

type Answer<Data> = { data?: Data; errors?: GraphqlError[] };

async function post<Data>(url: string, body: string, token: string | null): Promise<Answer<Data>> {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  const headers = { 'content-type': 'application/json', ...authorization };
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    const why = cause?.code ?? message;
    throw new UsageError(
      `Nothing answers at ${url} (${why})`,
      'Start it with: npm start. Elsewhere? Name it by --url.',
    );
  }
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer<Data>;
  } catch {
    throw new UsageError(`${url} does not speak GraphQL: it answered ${response.status}`, 'Is --url right?');
  }
}
