import type { LookupFunction } from 'node:net';
import { Agent, errors, request } from 'undici';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { HttpRequestInput, HttpResponse } from '../../domain/tools/activities.ts';
import { checkHeaders } from '../../domain/tools/check-headers.ts';
import { nextHop, type Hop } from './next-hop.ts';
import { parseUrl, publicUrl } from './parse-url.ts';
import { ACCEPTED_ENCODINGS, readBody } from './read-body.ts';
import { resolveHost, systemResolve, type Address, type Resolve } from './resolve-host.ts';

export type HttpClientOptions = {
  /** Hosts, or host:port, that may be called although they resolve to private addresses. */
  allowedHosts: readonly string[];
  /** Requests that ask for more get this. */
  maxResponseBytes: number;
  resolve?: Resolve;
};

export type HttpClient = {
  /** Any status is an answer; rejects with `signal.reason` once aborted. */
  send(input: HttpRequestInput, signal: AbortSignal): Promise<HttpResponse>;
};

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const MOST_REDIRECTS = 5;
const DEFAULT_TIMEOUT_MS = 30_000;
const LONGEST_TIMEOUT_MS = 3_600_000;
const DEFAULT_RESPONSE_BYTES = 1_048_576;

/** Connects only to the very addresses that were resolved and checked, again at each redirect. */
export function createHttpClient({
  allowedHosts,
  maxResponseBytes,
  resolve = systemResolve,
}: HttpClientOptions): HttpClient {
  const exchange = async (hop: Hop, limitBytes: number, signal: AbortSignal): Promise<HttpResponse | Hop> => {
    const addresses = await untilAborted(resolveHost(hop.url, allowedHosts, resolve), signal);
    const dispatcher = pinnedTo(addresses);
    try {
      const { statusCode, headers, body } = await request(hop.url, { ...requestOptions(hop), dispatcher, signal });
      const flat = flatHeaders(headers);
      const next = nextHop(hop, statusCode, flat['location']);
      if (next) return next;
      if (hop.method !== 'HEAD' && Number(flat['content-length']) > limitBytes) {
        throw new AppError('HTTP_RESPONSE_TOO_LARGE', { limitBytes });
      }
      const bytes = await readBody(body, hop.method === 'HEAD' ? '' : (flat['content-encoding'] ?? ''), limitBytes);
      const parsed = parseBody(bytes, flat['content-type'] ?? '');
      return { status: statusCode, headers: flat, body: parsed, url: hop.url.href };
    } finally {
      await dispatcher.destroy();
    }
  };

  return {
    send: async (input, signal) => {
      let hop = firstHop(input);
      const limitBytes = Math.min(
        wholeNumber('maxResponseBytes', input.maxResponseBytes, DEFAULT_RESPONSE_BYTES),
        maxResponseBytes,
      );
      const timeoutMs = Math.min(wholeNumber('timeoutMs', input.timeoutMs, DEFAULT_TIMEOUT_MS), LONGEST_TIMEOUT_MS);
      const deadline = AbortSignal.timeout(timeoutMs);
      const either = AbortSignal.any([signal, deadline]);
      try {
        for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
          const result = await exchange(hop, limitBytes, either);
          if ('status' in result) return result;
          hop = result;
        }
        throw new AppError('HTTP_REQUEST_INVALID', { detail: `more than ${MOST_REDIRECTS} redirects` });
      } catch (error) {
        signal.throwIfAborted();
        throw translated(error, hop, deadline.aborted ? `no complete answer within ${timeoutMs} ms` : undefined);
      }
    },
  };
}

function firstHop({ url, method = 'GET', headers = {}, body }: HttpRequestInput): Hop {
  if (!METHODS.includes(method)) throw invalid(`method ${JSON.stringify(method)} is not one of ${METHODS.join(', ')}`);
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw invalid(`${method} has no body`);
  const contentType = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    url: parseUrl(url),
    method,
    headers: {
      accept: '*/*',
      'accept-encoding': ACCEPTED_ENCODINGS,
      'user-agent': 'weft',
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...checkHeaders(headers),
    },
    body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
  };
}

function requestOptions({ method, headers, body }: Hop) {
  return { method, headers, body: body ?? null };
}

/** The name in the URL still goes into Host and SNI; only where the socket leads is fixed. */
function pinnedTo(addresses: readonly Address[]): Agent {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
  return new Agent({ connections: 1, headersTimeout: 0, bodyTimeout: 0, connect: { lookup, timeout: 0 } });
}

function flatHeaders(headers: { [name: string]: string | string[] | undefined }): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

function parseBody(bytes: Buffer, contentType: string): Json {
  const text = decoded(bytes, /charset="?([^";\s]+)/i.exec(contentType)?.[1]);
  if (!/^\s*application\/(?:[^;\s]+\+)?json\b/i.test(contentType)) return text;
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw Object.assign(new Error('the body is not the JSON it claims to be'), { cause: error });
  }
}

function decoded(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function translated(error: unknown, hop: Hop, timedOut: string | undefined): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.InvalidArgumentError) return invalid(error.message);
  const { code, message } = error as { code?: string; message?: string };
  const detail = timedOut ?? (message || code || 'the connection failed');
  return new AppError('HTTP_UNAVAILABLE', { method: hop.method, url: publicUrl(hop.url), detail }, error);
}

function wholeNumber(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || value < 1) throw invalid(`${name} must be a whole number above 0`);
  return value;
}

function invalid(detail: string): AppError {
  return new AppError('HTTP_REQUEST_INVALID', { detail });
}
