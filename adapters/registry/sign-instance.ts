import type { Identity, InternalTokens } from '../tokens/internal-token.ts';

type Signed = { subgraph: string; url: string | null; sdlHash: string };

const AT = 'registry';
/** A process says this of itself, not of somebody who asks. */
const PROCESS: Identity = {
  ...{ tenantId: 'default', subject: null, userId: null, kind: 'NOBODY', roles: [], permissions: [] },
  ...{ sessionId: null, keyId: null, mustChangePassword: false, address: null },
};

const audienceOf = ({ subgraph, url, sdlHash }: Signed): string => `${AT}:${subgraph} ${url ?? '-'} ${sdlHash}`;

/** Good for a minute. Without it whoever can write to the table could have the identities of callers sent to an address of theirs. */
export const signInstance = (tokens: InternalTokens, one: Signed): Promise<string> =>
  tokens.sign(PROCESS, audienceOf(one));

export async function isSigned(tokens: InternalTokens, one: Signed & { proof: string | null }): Promise<boolean> {
  try {
    await tokens.verify(one.proof ?? '', audienceOf(one));
    return true;
  } catch {
    return false;
  }
}
