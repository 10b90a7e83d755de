import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chooseOwnPassword, logIn, signInRequired, signUp, type SignedIn, sure } from '../../tests/access.ts';
import { ask, openDoors, type Doors } from '../../tests/doors.ts';

const RUNS = '{ runs { totalCount } }';

describe('access where everybody has to sign in', () => {
  let doors: Doors;
  let ada: SignedIn;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
    ada = await signUp(doors, 'ada', ['developer']);
  }, 60_000);
  afterAll(() => doors.close());

  it('lets nobody in without a token, and says how to get one', async () => {
    const answer = await doors.ask(RUNS, {}, null);
    expect(answer).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED', hint: expect.any(String) } }] });
    expect(answer.data ?? null).toBeNull();
    for (const token of ['x', 'weft_0123456789abcdef_' + 'A'.repeat(43), 'a.b.c']) {
      expect(await codeOf(RUNS, token)).toBe('UNAUTHENTICATED');
    }
    expect((await doors.ask(RUNS)).data).toEqual({ runs: { totalCount: 0 } });
  });

  it('takes nothing at the subgraph but what the gateway has signed', async () => {
    for (const token of [null, ada.token, doors.settings.WEFT_OPERATOR_TOKEN]) {
      const { errors } = await ask(doors.apiUrl, RUNS, {}, token);
      expect(errors?.[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  it('makes one admin at the first start, whose password serves to choose another', async () => {
    const { name, oneTimePassword } = doors.firstAdmin as NonNullable<Doors['firstAdmin']>;
    const first = await logIn(doors, name, oneTimePassword);
    expect((await doors.ask('{ me { name roles permissions mustChangePassword } }', {}, first.token)).data.me).toEqual({
      name: 'admin',
      roles: ['admin'],
      permissions: [],
      mustChangePassword: true,
    });
    expect(await codeOf(RUNS, first.token)).toBe('ACCESS_DENIED');
    const own = await chooseOwnPassword(doors, name, oneTimePassword);
    expect((await doors.ask('{ users { totalCount } }', {}, own.token)).data.users.totalCount).toBe(2);
    await expect(logIn(doors, name, oneTimePassword)).rejects.toThrow('UNAUTHENTICATED');
  });

  it('says the same of a wrong password and of nobody at all', async () => {
    const messages = await Promise.all(
      ['ada', 'nobody-of-that-name'].map((name) => logIn(doors, name, 'wrong wrong wrong').catch(String)),
    );
    expect(messages[0]).toBe(messages[1]);
  });

  it('slows down who keeps guessing', async () => {
    await signUp(doors, 'eve', ['viewer']);
    const answers: string[] = [];
    for (let n = 0; n < 12; n += 1) answers.push(await logIn(doors, 'eve', `guess number ${n}`).then(String, String));
    expect(answers.at(-1)).toContain('RATE_LIMITED');
    expect(answers[0]).toContain('UNAUTHENTICATED');
  });

  it('takes a refresh token once; the second time ends the session', async () => {
    const grace = await signUp(doors, 'grace', ['viewer']);
    const refresh = (refreshToken: string) =>
      doors.ask(
        'mutation ($t: String!) { refreshTokens(refreshToken: $t) { accessToken refreshToken } }',
        { t: refreshToken },
        null,
      );
    const { data } = await refresh(grace.refreshToken);
    expect((await doors.ask(RUNS, {}, data.refreshTokens.accessToken)).errors).toBeUndefined();
    expect((await refresh(grace.refreshToken)).errors?.[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await refresh(data.refreshTokens.refreshToken)).errors?.[0].extensions.code).toBe('UNAUTHENTICATED');
    const { rows } = await doors.pool.query(
      `SELECT payload->>'reason' AS reason FROM events WHERE type = 'access.token_refused'`,
    );
    expect(rows).toEqual([{ reason: expect.stringContaining('used twice') }]);
  });

  it('gives keys that do what their scopes and their user allow, until they are revoked', async () => {
    const made = await sure(
      doors,
      'mutation { createApiKey(name: "ci", scopes: ["runs:read"]) { secret key { id scopes } } }',
      {},
      ada.token,
    );
    const { secret, key } = made.data.createApiKey;
    expect((await doors.ask(RUNS, {}, secret)).data).toEqual({ runs: { totalCount: 0 } });
    expect(await codeOf('{ workflows { totalCount } }', secret)).toBe('ACCESS_DENIED');
    expect(await codeOf('mutation { createApiKey(name: "more") { secret } }', secret)).toBe('ACCESS_DENIED');
    expect(await codeOf('mutation { createApiKey(name: "all", scopes: ["access:admin"]) { secret } }', ada.token)).toBe(
      'INPUT_INVALID',
    );
    const { rows } = await doors.pool.query(
      "SELECT encode(secret_hash, 'hex') AS hash, api_keys::text AS row FROM api_keys",
    );
    expect(rows[0].row).not.toContain(secret.split('_')[2]);
    const other = await signUp(doors, 'mallory', ['developer']);
    expect(await codeOf(`mutation { revokeApiKey(id: "${key.id}") { id } }`, other.token)).toBe('NOT_FOUND');
    await sure(doors, `mutation { revokeApiKey(id: "${key.id}") { id } }`, {}, ada.token);
    expect(await atTheApi(secret)).toBe(401);
  });

  it('shuts out at once who is disabled, at every door', async () => {
    const bob = await signUp(doors, 'bob', ['viewer']);
    expect(await atTheApi(bob.token)).toBe(200);
    await sure(doors, 'mutation ($id: ID!) { updateUser(id: $id, disabled: true) { disabled } }', { id: bob.id });
    expect(await atTheApi(bob.token)).toBe(401);
    await expect(logIn(doors, 'bob', 'whatever it was')).rejects.toThrow('UNAUTHENTICATED');
  });

  it('lets nobody touch the accounts without access:admin, nor an admin shut itself out', async () => {
    expect(await codeOf('{ users { totalCount } }', ada.token)).toBe('ACCESS_DENIED');
    expect(await codeOf('mutation { createUser(name: "x", roles: [admin]) { oneTimePassword } }', ada.token)).toBe(
      'ACCESS_DENIED',
    );
    const boss = await signUp(doors, 'boss', ['admin']);
    expect(await codeOf(`mutation { updateUser(id: "${boss.id}", roles: [viewer]) { id } }`, boss.token)).toBe(
      'ACCESS_DENIED',
    );
  });

  it('keeps a tenant to itself and out of the business of tenants', async () => {
    const create =
      'mutation ($id: ID!) { createTenant(id: $id) { tenant { id state } admin { oneTimePassword user { name } } } }';
    const { data } = await sure(doors, create, { id: 'acme' });
    expect(data.createTenant.tenant).toEqual({ id: 'acme', state: 'ACTIVE' });
    const admin = await chooseOwnPassword(doors, 'admin', data.createTenant.admin.oneTimePassword, 'acme');
    expect((await doors.ask('{ users { totalCount } }', {}, admin.token)).data.users.totalCount).toBe(1);
    expect((await doors.ask(`{ user(id: "${ada.id}") { id } }`, {}, admin.token)).data).toEqual({ user: null });
    expect(await codeOf('{ tenants { id } }', admin.token)).toBe('ACCESS_DENIED');
    await sure(doors, 'mutation { suspendTenant(id: "acme", reason: "unpaid") { state } }', {});
    expect(await atTheApi(admin.token)).toBe(401);
    await expect(logIn(doors, 'admin', admin.password, 'acme')).rejects.toThrow('UNAUTHENTICATED');
    await sure(doors, 'mutation { resumeTenant(id: "acme") { state } }', {});
    expect(await atTheApi(admin.token)).toBe(200);
  });

  it('exports a tenant without its secrets, and erases it for good', async () => {
    const operator = { authorization: `Bearer ${doors.settings.WEFT_OPERATOR_TOKEN}` };
    const exported = await (await fetch(`${doors.apiUrl}/tenants/acme/export`, { headers: operator })).text();
    const rows = exported
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { table: string; row: { tenant_id: string } });
    expect(new Set(rows.map(({ row }) => row.tenant_id))).toEqual(new Set(['acme']));
    expect(rows.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['tenants', 'users', 'sessions', 'events', 'event_streams']),
    );
    expect(exported).not.toMatch(/argon2|(password|secret|token)_hash/);
    expect(
      (await fetch(`${doors.apiUrl}/tenants/acme/export`, { headers: { authorization: `Bearer ${ada.token}` } }))
        .status,
    ).toBe(403);
    const erase = 'mutation { eraseTenant(id: "acme") { state } }';
    expect((await doors.ask(erase)).errors?.[0].extensions.code).toBe('INPUT_INVALID');
    await sure(doors, 'mutation { suspendTenant(id: "acme") { state } }', {});
    expect((await sure(doors, erase, {})).data.eraseTenant).toEqual({ state: 'ERASED' });
    const { rows: left } = await doors.pool.query("SELECT FROM users WHERE tenant_id = 'acme'");
    expect(left).toEqual([]);
    expect(
      (await doors.ask('mutation { createTenant(id: "acme") { tenant { id } } }')).errors?.[0].extensions.code,
    ).toBe('ID_TAKEN');
  });

  it('keeps who did what, without secrets', async () => {
    const { rows } = await doors.pool.query<{ type: string; text: string }>(
      `SELECT type, payload::text AS text FROM events WHERE type LIKE 'access.%'`,
    );
    const types = new Set(rows.map(({ type }) => type));
    for (const type of ['access.logged_in', 'access.login_failed', 'access.user_created', 'access.key_created']) {
      expect(types).toContain(type);
    }
    expect(JSON.stringify(rows)).not.toMatch(/argon2|weft_[0-9a-f]{16}_|eyJ/);
  });

  it('shows the public keys of its tokens', async () => {
    const { keys } = (await (await fetch(`${doors.apiUrl}/.well-known/jwks.json`)).json()) as { keys: object[] };
    expect(keys).toEqual([expect.objectContaining({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' })]);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });

  const codeOf = async (query: string, token: string) =>
    (await doors.ask(query, {}, token)).errors?.[0].extensions.code;

  /** Without what the gateway remembers of a token. */
  async function atTheApi(token: string): Promise<number> {
    const { createInternalTokens } = await import('../../adapters/tokens/internal-token.ts');
    const { nobody } = await import('./principal.ts');
    const ours = await createInternalTokens(doors.settings.WEFT_SECRET_KEY).sign(nobody(null), 'access');
    const response = await fetch(`${doors.apiUrl}/internal/identify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-weft-identity': ours },
      body: JSON.stringify({ token }),
    });
    return response.status;
  }
});

describe('access where nobody has to sign in', () => {
  it('makes everybody the operator', async () => {
    const doors = await openDoors();
    try {
      expect((await doors.ask('{ me { tenantId name mustChangePassword } }')).data.me).toEqual({
        tenantId: 'default',
        name: null,
        mustChangePassword: false,
      });
    } finally {
      await doors.close();
    }
  }, 60_000);
});
