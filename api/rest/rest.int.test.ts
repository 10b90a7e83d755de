import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signInRequired, signUp, type SignedIn } from '../../tests/access.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { REST_ROUTES } from './routes/all-routes.ts';
import { isConnection, listAnswer, variablesOf } from './rest-route.ts';

const DEFINITION = {
  name: 'greet',
  nodes: [{ id: 'one', type: 'transform', config: { value: "'Hello'" } }],
  edges: [],
};

describe('REST', () => {
  let doors: Doors;
  let operator: string;
  let ada: SignedIn;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
    operator = doors.settings.WEFT_OPERATOR_TOKEN as string;
    ada = await signUp(doors, 'ada', ['viewer']);
  }, 60_000);
  afterAll(() => doors.close());

  it('publishes, executes once a key, and says where the run is', async () => {
    const published = await call('POST', '/workflows', DEFINITION);
    expect(published).toMatchObject({ status: 201, location: '/workflows/greet', body: { id: 'greet', version: 1 } });
    const begun = await call('POST', '/workflows/greet/execute', { input: {} }, { 'idempotency-key': 'k1' });
    expect(begun.status).toBe(202);
    expect(begun.location).toBe(`/runs/${begun.body.id}`);
    const again = await call('POST', '/workflows/greet/execute', { input: {} }, { 'idempotency-key': 'k1' });
    expect(again.body.id).toBe(begun.body.id);
    const read = await call('GET', begun.location as string);
    expect(read.body).toMatchObject({ id: begun.body.id, workflow: { id: 'greet', version: 1 } });
    expect((await call('GET', `/workflows/${begun.body.id}/status`)).body).toMatchObject({ id: begun.body.id });
    const listed = await call('GET', '/runs?first=1&workflowId=greet');
    expect(listed.body).toMatchObject({ items: [{ id: begun.body.id }], totalCount: 1, nextCursor: null });
  });

  it('says what is wrong as problem details with our codes', async () => {
    const unknown = await call('GET', '/runs/nope');
    expect(unknown.headers.get('content-type')).toMatch('application/problem+json');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', status: 404, title: 'NOT_FOUND' } });
    expect(await call('GET', '/runs?first=0')).toMatchObject({
      status: 400,
      body: { code: 'INPUT_INVALID', paths: [{ path: '/first' }] },
    });
    expect(await call('GET', '/runs?frist=1')).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
    expect(await call('POST', '/workflows', { name: 'bad', nodes: [{}], edges: [] })).toMatchObject({
      status: 422,
      body: { code: 'DEFINITION_INVALID', problems: expect.any(Array) },
    });
    expect((await raw('POST', '/workflows', '{', 'application/json')).status).toBe(400);
    expect((await raw('POST', '/workflows', '<a/>', 'application/xml')).status).toBe(415);
    const huge = `{"name":"${'x'.repeat(21_000_000)}"}`;
    expect((await raw('POST', '/login', huge, 'application/json')).status).toBe(413);
  });

  it('lets in who may and nobody else', async () => {
    expect(await call('GET', '/runs', undefined, {}, null)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
    expect((await call('GET', '/runs', undefined, {}, null)).headers.get('www-authenticate')).toBe('Bearer');
    expect((await call('GET', '/runs', undefined, {}, ada.token)).status).toBe(200);
    expect(await call('POST', '/workflows', DEFINITION, {}, ada.token)).toMatchObject({
      status: 403,
      body: { code: 'ACCESS_DENIED' },
    });
    expect((await call('GET', '/runs', undefined, { authorization: 'Basic eDp5' }, null)).status).toBe(401);
  });

  it('signs in, refreshes and signs out', async () => {
    const made = await call('POST', '/users', { name: 'eve', roles: ['viewer'] });
    expect(made.status).toBe(201);
    const first = { username: 'eve', password: made.body.oneTimePassword };
    const before = await call('POST', '/login', first, {}, null);
    expect(before).toMatchObject({ status: 200, body: { mustChangePassword: true } });
    const change = { current: first.password, next: 'a long enough secret' };
    expect((await call('POST', '/me/password', change, {}, before.body.accessToken)).status).toBe(200);
    const after = await call('POST', '/login', { username: 'eve', password: change.next }, {}, null);
    const fresh = await call('POST', '/refresh', { refreshToken: after.body.refreshToken }, {}, null);
    expect((await call('GET', '/me', undefined, {}, fresh.body.accessToken)).body.name).toBe('eve');
    expect((await call('POST', '/logout', undefined, {}, fresh.body.accessToken)).status).toBe(204);
    expect((await call('GET', '/me', undefined, {}, fresh.body.accessToken)).status).toBe(401);
  });

  it('answers 304 to who has it, and 412 to who has seen it otherwise', async () => {
    const { body } = await call('POST', '/webhooks', { workflowId: 'greet', name: 'first' });
    const path = `/webhooks/${body.webhook.id}`;
    const etag = (await call('GET', path)).headers.get('etag') as string;
    expect((await call('GET', path, undefined, { 'if-none-match': etag })).status).toBe(304);
    expect((await call('PATCH', path, { name: 'second' }, { 'if-match': etag })).status).toBe(200);
    expect(await call('PATCH', path, { name: 'third' }, { 'if-match': etag })).toMatchObject({
      status: 412,
      body: { code: 'PRECONDITION_FAILED' },
    });
    expect((await call('DELETE', path, undefined, { 'if-match': '*' })).status).toBe(204);
    expect((await call('GET', path)).status).toBe(404);
  });

  it('pages by cursor', async () => {
    for (const name of ['p1', 'p2', 'p3']) await call('POST', '/workflows', { ...DEFINITION, name });
    const names: string[] = [];
    for (let cursor: string | null = '', pages = 0; cursor !== null; pages += 1) {
      const { body } = await call('GET', `/workflows?first=2${cursor === '' ? '' : `&after=${cursor}`}`);
      names.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
      expect(pages).toBeLessThan(5);
    }
    expect(names).toEqual(['greet', 'p1', 'p2', 'p3']);
  });

  it('keeps the words of an earlier product for who still speaks them', async () => {
    const begun = await call('POST', '/api/v1/workflows/trigger', { workflow_name: 'greet', inputs: {} });
    expect(begun).toMatchObject({ status: 202, body: { workflow_name: 'greet', status: 'PENDING' } });
    expect((await call('GET', begun.body.status_url)).body).toMatchObject({ instance_id: begun.body.instance_id });
  });

  it('describes itself, and shows the description', async () => {
    const { body } = await call('GET', '/openapi.json', undefined, {}, null);
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/workflows/{id}/execute');
    const page = await fetch(`${doors.apiUrl}/swagger-ui/`);
    expect(await page.text()).toContain('swagger-ui-bundle.js');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await (await fetch(`${doors.apiUrl}/swagger-ui/swagger-initializer.js`)).text()).toContain('/openapi.json');
  });

  it('says in detail how it is', async () => {
    expect(await call('GET', '/health/detailed', undefined, {}, null)).toMatchObject({
      status: 200,
      body: { status: 'healthy', dependencies: { database: { status: 'up' }, temporal: { status: 'up' } } },
    });
  });

  describe('and the graph', () => {
    const reads = REST_ROUTES.filter(({ method, present }) => method === 'get' && !present);
    it.each(reads.map((route) => [route.path, route] as const))('say the same of %s', async (path, route) => {
      const runs = await call('GET', '/runs');
      const ids: Record<string, string> = { runs: runs.body.items[0].id, users: 'ada', tenants: 'default' };
      const id = path.startsWith('/workflows/{id}/status')
        ? ids['runs']
        : (ids[path.split('/')[1] as string] ?? 'greet');
      const rest = await call('GET', path.replace('{id}', String(id)));
      const { data } = await doors.ask(route.document, variablesOf(route, given({ id: String(id) })));
      const value = Object.values(data)[0];
      if (value === null) expect(rest.status).toBe(404);
      else expect(rest.body).toEqual(isConnection(value) ? listAnswer(value) : value);
    });

    const ofOne = REST_ROUTES.filter(({ path, body }) => path.includes('{id}') && !body);
    it.each(ofOne.map((route) => [`${route.method} ${route.path}`, route] as const))(
      'refuse %s of what is not there for the same reason',
      async (_, route) => {
        const rest = await call(route.method.toUpperCase(), route.path.replace('{id}', 'nope'));
        const { data, errors } = await doors.ask(route.document, variablesOf(route, given({ id: 'nope' })));
        const code = errors?.[0].extensions.code ?? (Object.values(data)[0] === null ? 'NOT_FOUND' : 'FOUND');
        expect(rest.body.code).toBe(code);
      },
    );
  });

  const given = (path: Record<string, string>) => ({ path, query: {}, body: {}, idempotencyKey: undefined });

  async function call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
    token: string | null = operator,
  ) {
    const response = await fetch(doors.apiUrl + path, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    return {
      ...{ status, headers: response.headers, location: response.headers.get('location') },
      body: text === '' ? null : JSON.parse(text),
    };
  }

  const raw = (method: string, path: string, body: string, type: string) =>
    fetch(doors.apiUrl + path, {
      ...{ method, body },
      headers: { authorization: `Bearer ${operator}`, 'content-type': type },
    });
});
