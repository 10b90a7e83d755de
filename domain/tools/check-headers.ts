import { AppError } from '../errors.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters, spaces and tabs: no line break can smuggle in another header or request. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Framing and routing belong to the client alone. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Lower-case names, each once. */
export function checkHeaders(headers: { readonly [name: string]: string }): { [name: string]: string } {
  const checked: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!NAME.test(name)) throw invalid(`header name ${JSON.stringify(name)} has characters that are not allowed`);
    if (RESERVED.has(key)) throw invalid(`header ${name} is set by the client itself`);
    if (Object.hasOwn(checked, key)) throw invalid(`header ${name} is given twice`);
    if (typeof value !== 'string' || !VALUE.test(value)) {
      throw invalid(`the value of header ${name} is not a string, or has characters that are not allowed`);
    }
    checked[key] = value;
  }
  return checked;
}

function invalid(detail: string): AppError {
  return new AppError('HTTP_REQUEST_INVALID', { detail });
}
