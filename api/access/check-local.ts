import type { Request } from 'express';
import { AppError } from '../../domain/errors.ts';

export const isLoopbackHost = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/.test(host);

/**
 * Where nobody has to sign in, being on this machine is what counts, and a web page on it is not: neither one of another origin, nor
 * one that made a name of its own mean this machine. @throws ACCESS_DENIED
 */
export function checkLocal(request: Request, origins: readonly string[]): void {
  const host = (request.get('host') ?? '').replace(/:\d+$/, '');
  if (!isLoopbackHost(host)) throw denied(`it is reached as ${host}; set WEFT_AUTH=required`);
  const origin = request.get('origin');
  if (origin === undefined || origins.includes(origin)) return;
  if (!URL.canParse(origin) || !isLoopbackHost(new URL(origin).hostname)) {
    throw denied(`pages of ${origin} may not use it; add the origin to WEFT_CORS_ORIGINS`);
  }
}

const denied = (detail: string): AppError => new AppError('ACCESS_DENIED', { what: 'this server', detail });
