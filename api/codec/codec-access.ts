import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import type { Settings } from '../../config/settings.ts';
import { AppError } from '../../domain/errors.ts';

export type CodecSettings = Pick<
  Settings,
  'WEFT_CODEC' | 'WEFT_CODEC_TOKEN' | 'WEFT_CODEC_ORIGINS' | 'TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'
>;

const LOCAL_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Web pages that may ask: Temporal Web UI, by whichever name of this machine it was opened, and those of the setting. */
export function codecOrigins(settings: CodecSettings): ReadonlySet<string> {
  const ui = new URL(settings.TEMPORAL_UI_URL);
  const names = LOCAL_NAMES.includes(ui.hostname) ? LOCAL_NAMES : [ui.hostname];
  const port = ui.port === '' ? '' : `:${ui.port}`;
  return new Set([...names.map((name) => `${ui.protocol}//${name}${port}`), ...settings.WEFT_CODEC_ORIGINS]);
}

/** @throws AppError ACCESS_DENIED */
export function checkCodecAccess(settings: CodecSettings, request: IncomingMessage): void {
  const { origin, 'x-namespace': namespace } = request.headers;
  if (origin !== undefined && !codecOrigins(settings).has(origin)) {
    throw denied(`pages of ${origin} may not use it; add the origin to WEFT_CODEC_ORIGINS`);
  }
  if (settings.WEFT_CODEC === 'token') checkToken(settings.WEFT_CODEC_TOKEN, request.headers.authorization);
  else checkLoopback(request);
  // Temporal's CLI sends an empty one where none was named.
  if (namespace && namespace !== settings.TEMPORAL_NAMESPACE) {
    throw denied(`this server decodes namespace ${settings.TEMPORAL_NAMESPACE} alone`);
  }
}

/** A name in `Host` that is not this machine's is that of a page which made its own name mean this machine. */
function checkLoopback({ socket, headers }: IncomingMessage): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  const local = isLoopback(socket.remoteAddress ?? '');
  if (local && LOCAL_NAMES.includes(name) && headers['x-forwarded-for'] === undefined) return;
  throw denied('it answers this machine alone; for others set WEFT_CODEC=token and WEFT_CODEC_TOKEN');
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  const ipv4 = address.replace(/^::ffff:/, '');
  return loopback.check(ipv4, ipv4.includes(':') ? 'ipv6' : 'ipv4');
}

function checkToken(token: string | null, authorization = ''): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (token !== null && timingSafeEqual(digest(`Bearer ${token}`), digest(authorization))) return;
  throw denied('it wants `Authorization: Bearer ` and the token of WEFT_CODEC_TOKEN');
}

const denied = (detail: string): AppError => new AppError('ACCESS_DENIED', { what: 'the codec server', detail });
