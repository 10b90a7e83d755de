import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import { argumentInvalid } from '../graphql/connection.ts';

/** Standard Webhooks (https://www.standardwebhooks.com): ids, times and signatures of messages. */
export type SignedMessage = { id: string; timestamp: string; signature: string; body: Buffer };

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = { made: 32, least: 24, most: 64 };
/** How far the time of a message may be from ours. */
const REPLAY_WINDOW_S = 300;

export function newSecret(): string {
  return `${SECRET_PREFIX}${randomBytes(SECRET_BYTES.made).toString('base64')}`;
}

/** @throws INPUT_INVALID */
export function checkSecret(secret: string): string {
  const bytes = keyOf(secret).length;
  if (secret.startsWith(SECRET_PREFIX) && bytes >= SECRET_BYTES.least && bytes <= SECRET_BYTES.most) return secret;
  throw argumentInvalid('secret', `must be ${SECRET_PREFIX} and the base64 of 24 to 64 bytes`);
}

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');

/** The value of `webhook-signature` for one secret. */
export function signMessage(secret: string, { id, timestamp, body }: Omit<SignedMessage, 'signature'>): string {
  const digest = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return `v1,${digest}`;
}

/**
 * A message is good when one of its signatures is by one of the secrets and its time is near.
 * @throws AppError SIGNATURE_INVALID
 */
export function checkMessage(secrets: readonly string[], message: SignedMessage, now: number): void {
  const refuse = (detail: string) => {
    throw new AppError('SIGNATURE_INVALID', { detail });
  };
  if (!/^\d{1,12}$/.test(message.timestamp)) refuse('webhook-timestamp is not in seconds since 1970');
  const wanted = secrets.map((secret) => Buffer.from(signMessage(secret, message)));
  const given = message.signature.split(' ').map((one) => Buffer.from(one));
  const matches = wanted.some((one) =>
    given.some((other) => one.length === other.length && timingSafeEqual(one, other)),
  );
  if (!matches) refuse('no signature is by a secret of this webhook');
  if (Math.abs(now / 1000 - Number(message.timestamp)) > REPLAY_WINDOW_S) {
    refuse(`webhook-timestamp is more than ${REPLAY_WINDOW_S} seconds away from the time here`);
  }
}
