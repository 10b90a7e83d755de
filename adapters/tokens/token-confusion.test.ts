import { createHmac, createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { type AccessClaims, signAccessToken, verifyAccessToken } from './access-token.ts';
import { createInternalTokens, type Identity } from './internal-token.ts';
import { generateSigningKey, importSigningKey } from './signing-keys.ts';

const ISSUER = { issuer: 'weft', audience: 'weft' };
const CLAIMS: AccessClaims = { tenant: 'default', sub: 'u1', name: 'ada', roles: ['viewer'], kind: 'USER', sid: 's1' };
const ours = await generateSigningKey();
const key = await importSigningKey(ours.privateJwk);
const signer = { id: ours.id, key };
const verify = (token: string) => verifyAccessToken(token, [ours.publicJwk], ISSUER);
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('verifyAccessToken', () => {
  it('takes what was signed here', async () => {
    const token = await signAccessToken(signer, ISSUER, CLAIMS, 60);
    expect(await verify(token)).toMatchObject({ sub: 'u1', tenant: 'default', roles: ['viewer'] });
  });

  it.each(Object.entries(forgeries()))('refuses %s', async (_, forge) => {
    await expect(verify(await forge())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('says of an expired one that it has expired, and of others nothing', async () => {
    const expired = await sign({}, {}, { seconds: -60 });
    await expect(verify(expired)).rejects.toThrow('expired');
    await expect(verify(await sign({ aud: 'other' }))).rejects.toThrow('not valid');
  });
});

describe('internal tokens', () => {
  const secret = 'a'.repeat(32);
  const tokens = createInternalTokens([secret]);
  const identity: Identity = {
    ...{ tenantId: 't', subject: 'ada', userId: 'u1', kind: 'USER', roles: [], permissions: ['runs:read'] },
    ...{ sessionId: 's', keyId: null, mustChangePassword: false, address: null },
  };

  it('are for one audience, and of whoever has the secret', async () => {
    const token = await tokens.sign(identity, 'subgraph:runs');
    expect(await tokens.verify(token, 'subgraph:runs')).toEqual(identity);
    await expect(tokens.verify(token, 'subgraph:content')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const other = createInternalTokens(['b'.repeat(32)]);
    await expect(other.verify(token, 'subgraph:runs')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await createInternalTokens(['b'.repeat(32), secret]).verify(token, 'subgraph:runs')).toEqual(identity);
  });

  it('are no access tokens, nor the other way round', async () => {
    await expect(verify(await tokens.sign(identity, 'weft'))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const access = await signAccessToken(signer, ISSUER, CLAIMS, 60);
    await expect(tokens.verify(access, 'weft')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

type Overrides = { iss?: string; aud?: string };
async function sign(
  { iss = 'weft', aud = 'weft' }: Overrides,
  header: Record<string, unknown> = {},
  { seconds = 60, claims = CLAIMS, by = key }: { seconds?: number; claims?: object; by?: typeof key } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims, jti: 'j', iat: now - 120, exp: now + seconds, iss, aud })
    .setProtectedHeader({ alg: 'EdDSA', kid: ours.id, typ: 'at+jwt', ...header })
    .sign(by);
}

function forgeries(): Record<string, () => Promise<string>> {
  const payload = () => {
    const now = Math.floor(Date.now() / 1000);
    return { ...CLAIMS, jti: 'j', iat: now, exp: now + 60, iss: 'weft', aud: 'weft' };
  };
  const hmac = async (secret: string | Buffer, alg: 'HS256' | 'HS384' | 'HS512' = 'HS256') => {
    const text = `${base64({ alg, kid: ours.id, typ: 'at+jwt' })}.${base64(payload())}`;
    return `${text}.${createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')}`;
  };
  const withHeader = async (header: object) => {
    const [, body, signature] = (await sign({})).split('.');
    return `${base64({ alg: 'EdDSA', kid: ours.id, typ: 'at+jwt', ...header })}.${body}.${signature}`;
  };
  const byAnother = async (alg: 'ES256' | 'RS256') => {
    const { privateKey } = await generateKeyPair(alg);
    return sign({}, { alg }, { by: privateKey });
  };
  const publicKey = () => createPublicKey(createPrivateKey({ key: ours.privateJwk, format: 'jwk' }));
  return {
    'alg none': async () => `${base64({ alg: 'none', typ: 'at+jwt' })}.${base64(payload())}.`,
    'alg None with the signature of another token': async () => {
      const [, , signature] = (await sign({})).split('.');
      return `${base64({ alg: 'None', kid: ours.id, typ: 'at+jwt' })}.${base64(payload())}.${signature}`;
    },
    'alg none with nothing behind the last dot but spaces': async () =>
      `${base64({ alg: 'none', kid: ours.id, typ: 'at+jwt' })}.${base64(payload())}.   `,
    'HS256 with the public key as PEM': async () => hmac(await exportSPKI(publicKey())),
    'HS256 with the public key as raw bytes': () => hmac(Buffer.from(String(ours.publicJwk.x), 'base64url')),
    'HS256 with the public key as JSON': () => hmac(JSON.stringify(ours.publicJwk)),
    'HS384 with the public key as DER': () => hmac(publicKey().export({ type: 'spki', format: 'der' }), 'HS384'),
    'HS512 with nothing as the key': () => hmac('', 'HS512'),
    'ES256 under our key id': () => byAnother('ES256'),
    'RS256 under our key id': () => byAnother('RS256'),
    'no signature': async () => (await sign({})).split('.').slice(0, 2).join('.') + '.',
    'two parts': async () => (await sign({})).split('.').slice(0, 2).join('.'),
    'a payload that is not encoded (b64)': () => withHeader({ crit: ['b64'], b64: false }),
    'a header that was changed after it was signed': () => withHeader({ cty: 'JWT' }),
    'another key under our key id': async () => sign({}, {}, { by: (await generateKeyPair('EdDSA')).privateKey }),
    'a key id that is a path': () => sign({}, { kid: '../../../../dev/null' }),
    'a key id that is empty': () => sign({}, { kid: '' }),
    'a key id that names a property of every object': () => sign({}, { kid: '__proto__' }),
    'a key id that is a list': () => withHeader({ kid: [ours.id] }),
    'a certificate in the header': async () => {
      const other = await generateKeyPair('EdDSA');
      return sign({}, { x5c: ['MIIB'], x5u: 'http://127.0.0.1:9/cert', kid: undefined }, { by: other.privateKey });
    },
    'a key id that is SQL': () => sign({}, { kid: "' UNION SELECT 'x" }),
    'no key id and a key of its own in the header': async () => {
      const other = await generateKeyPair('EdDSA', { extractable: true });
      const jwk = await exportJWK(other.publicKey);
      return sign({}, { kid: undefined, jwk }, { by: other.privateKey });
    },
    'a key from an address in the header': async () => {
      const other = await generateKeyPair('EdDSA');
      return sign({}, { jku: 'http://127.0.0.1:9/keys', kid: 'theirs' }, { by: other.privateKey });
    },
    'another audience': () => sign({ aud: 'other' }),
    'an audience that only begins as ours': () => sign({ aud: 'weft.example.org' }),
    'no audience': () => sign({ aud: null as never }),
    'no issuer': () => sign({ iss: null as never }),
    'a token of the gateway for a subgraph': () => sign({}, { typ: 'weft-internal+jwt' }),
    'another issuer': () => sign({ iss: 'https://accounts.example.org' }),
    'an ID token': () => sign({}, { typ: 'JWT' }),
    'an ID token without a type': () => sign({}, { typ: undefined }),
    'an expired token': () => sign({}, {}, { seconds: -60 }),
    'one that is not valid yet': () => {
      const later = Math.floor(Date.now() / 1000) + 600;
      return sign({}, {}, { claims: { ...CLAIMS, nbf: later } });
    },
    'one that never expires': () => {
      const { exp: _, ...rest } = payload();
      return new SignJWT(rest).setProtectedHeader({ alg: 'EdDSA', kid: ours.id, typ: 'at+jwt' }).sign(key);
    },
    'a token without a tenant': () => sign({}, {}, { claims: { ...CLAIMS, tenant: undefined } }),
    'a token without a session': () => sign({}, {}, { claims: { ...CLAIMS, sid: undefined } }),
    'a changed payload': async () => {
      const [header, , signature] = (await sign({})).split('.');
      return `${header}.${base64({ ...payload(), roles: ['admin'] })}.${signature}`;
    },
    'a critical header that nobody here knows': async () => {
      const [, body, signature] = (await sign({})).split('.');
      return `${base64({ alg: 'EdDSA', kid: ours.id, typ: 'at+jwt', crit: ['exp2'], exp2: 1 })}.${body}.${signature}`;
    },
    'an encrypted one': async () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA',
    'no token at all': async () => '',
  };
}
