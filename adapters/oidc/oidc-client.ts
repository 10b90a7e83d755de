import * as openid from 'openid-client';
import { AppError } from '../../domain/errors.ts';

export type OidcOptions = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Where the provider sends people back to. */
  redirectUri: string;
  scopes: string;
};
/** What has to be kept between the two halves of a sign-in. */
export type OidcStart = { url: string; state: string; verifier: string; nonce: string };
export type OidcClaims = { issuer: string; subject: string } & Readonly<Record<string, unknown>>;

export type OidcClient = {
  begin(): Promise<OidcStart>;
  /** Who it is that the provider has sent back. @throws UNAUTHENTICATED */
  finish(url: URL, start: Pick<OidcStart, 'state' | 'verifier' | 'nonce'>): Promise<OidcClaims>;
};

/** Authorization code flow with PKCE; what the provider can do is asked of it when somebody first signs in. */
export function createOidcClient(options: OidcOptions): OidcClient {
  let discovered: Promise<openid.Configuration> | undefined;
  const configuration = () => {
    discovered ??= discover(options);
    discovered.catch(() => (discovered = undefined));
    return discovered;
  };
  return {
    async begin() {
      const config = await configuration();
      const [state, nonce, verifier] = [openid.randomState(), openid.randomNonce(), openid.randomPKCECodeVerifier()];
      const url = openid.buildAuthorizationUrl(config, {
        ...{ redirect_uri: options.redirectUri, scope: options.scopes, state, nonce },
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, state, nonce, verifier };
    },
    async finish(url, { state, nonce, verifier }) {
      const config = await configuration();
      try {
        const tokens = await openid.authorizationCodeGrant(config, url, {
          ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
        });
        const claims = tokens.claims() as openid.IDToken;
        return { ...claims, issuer: claims.iss, subject: claims.sub };
      } catch (error) {
        throw new AppError('UNAUTHENTICATED', { detail: 'the OpenID provider did not confirm the sign-in' }, error);
      }
    },
  };
}

async function discover({ issuer, clientId, clientSecret }: OidcOptions): Promise<openid.Configuration> {
  const url = new URL(issuer);
  // Without TLS for a provider on this machine alone.
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  try {
    return await openid.discovery(url, clientId, clientSecret, undefined, {
      ...(local ? { execute: [openid.allowInsecureRequests] } : {}),
      timeout: 10,
    });
  } catch (error) {
    throw new AppError('OIDC_UNAVAILABLE', { issuer, detail: (error as Error).message }, error);
  }
}
