import { hash, verify } from '@node-rs/argon2';

/** OWASP's recommendation for argon2id with little memory to spare. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** What a missing account is checked against, so that its absence takes as long as a wrong password. */
let nobodysHash: Promise<string> | undefined;

/** Argon2id, with salt and parameters in the text. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), COST);
}

export async function passwordMatches(password: string, stored: string | null): Promise<boolean> {
  nobodysHash ??= hash('nobody', COST);
  const matches = await verify(stored ?? (await nobodysHash), password.normalize('NFKC'));
  return matches && stored !== null;
}
