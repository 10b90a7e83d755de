import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Provider } from 'oidc-provider';
import { findFreePort } from '../../adapters/embedded/free-port.ts';
import { signInRequired } from '../../tests/access.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';

type Cookies = Map<string, string>;
const PEOPLE: Readonly<Record<string, { roles?: string[]; email: string }>> = {
  ada: { roles: ['developer', 'emperor'], email: 'ada@example.org' },
  bob: { email: 'bob@example.org' },
};

/** A provider that nobody here has written, which takes any password. */
describe('signing in at an OpenID provider', () => {
  let doors: Doors;
  let provider: Server;
  let issuer: string;
  beforeAll(async () => {
    const port = await findFreePort(0, new Set());
    provider = createServer().listen(0, '127.0.0.1');
    await once(provider, 'listening');
    issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const oidc = new Provider(issuer, {
      clients: [
        {
          client_id: 'weft',
          client_secret: 'the secret of the client',
          redirect_uris: [`http://127.0.0.1:${port}/login/oidc/callback`],
        },
      ],
      claims: { openid: ['sub', 'roles'], email: ['email'], profile: ['preferred_username'] },
      conformIdTokenClaims: false,
      findAccount: (_context, id) => ({
        accountId: id,
        claims: async () => ({ sub: id, preferred_username: id, ...PEOPLE[id] }),
      }),
      cookies: { keys: ['k'] },
    });
    provider.on('request', oidc.callback());
    doors = await openDoors({
      ...signInRequired(),
      PORT: String(port),
      WEFT_OIDC_ISSUER: issuer,
      WEFT_OIDC_CLIENT_ID: 'weft',
      WEFT_OIDC_CLIENT_SECRET: 'the secret of the client',
    });
  }, 60_000);
  afterAll(async () => {
    await doors?.close();
    provider.closeAllConnections();
    provider.close();
  });

  it('makes an account with the roles that the provider names, and knows it the next time', async () => {
    const first = await signIn('ada');
    expect(first.status).toBe(200);
    const { accessToken } = (await first.json()) as { accessToken: string };
    const { data } = await doors.ask('{ me { name roles permissions } }', {}, accessToken);
    expect(data.me).toMatchObject({ name: expect.stringMatching(/^oidc\.ada\./), roles: ['developer'] });
    await signIn('ada');
    expect((await doors.ask('{ users { edges { node { name email } } } }')).data.users.edges).toEqual([
      { node: { name: data.me.name, email: 'ada@example.org' } },
      { node: expect.objectContaining({ name: 'admin' }) },
    ]);
  });

  it('refuses whom the provider gives no role', async () => {
    const answer = await signIn('bob');
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'ACCESS_DENIED' });
  });

  it('finishes nothing that this browser has not begun, and nothing twice', async () => {
    const cookies: Cookies = new Map();
    const callback = await throughTheProvider('ada', cookies);
    expect((await fetch(callback, { redirect: 'manual' })).status).toBe(401);
    expect((await visit(callback, cookies)).status).toBe(200);
    expect((await visit(callback, cookies)).status).toBe(401);
  });

  it('sends nobody with tokens to a page of a stranger', async () => {
    const answer = await fetch(`${doors.apiUrl}/login/oidc?returnTo=https://evil.example`, { redirect: 'manual' });
    expect(answer.status).toBe(400);
  });

  async function signIn(name: string): Promise<Response> {
    const cookies: Cookies = new Map();
    return visit(await throughTheProvider(name, cookies), cookies);
  }

  /** Gives the address of ours that the browser is sent back to. */
  async function throughTheProvider(name: string, cookies: Cookies): Promise<string> {
    let url = `${doors.apiUrl}/login/oidc`;
    for (let step = 0; step < 15; step += 1) {
      const form = url.includes('/interaction/') && !url.endsWith('/confirm') ? await formOf(url, cookies) : null;
      const answer = form
        ? await visit(form.action, cookies, { ...form.fields, login: name, password: 'x' })
        : await visit(url, cookies);
      const location = answer.headers.get('location');
      if (location === null) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
      url = new URL(location, url).href;
      if (url.includes('/login/oidc/callback')) return url;
    }
    throw new Error(`went round in circles: ${url}`);
  }

  async function formOf(url: string, cookies: Cookies) {
    const page = await (await visit(url, cookies)).text();
    const action = new URL(/<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? url, url).href;
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? 'login';
    return { action, fields: { prompt } };
  }

  async function visit(url: string, cookies: Cookies, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return response;
  }
});
