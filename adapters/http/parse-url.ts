import { AppError } from '../../domain/errors.ts';

/** An absolute http(s) address without credentials. */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url) throw invalid(`${JSON.stringify(text)} is not an absolute URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`scheme ${url.protocol} is not allowed`);
  if (url.username !== '' || url.password !== '') {
    throw invalid('a URL must not carry credentials; use the Authorization header');
  }
  return url;
}

/** The address as it may be logged: queries often carry keys. */
export function publicUrl(url: URL): string {
  return url.origin + url.pathname;
}

function invalid(detail: string): AppError {
  return new AppError('HTTP_REQUEST_INVALID', { detail });
}
