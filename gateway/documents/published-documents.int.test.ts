import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { chooseOwnPassword, signInRequired, signUp, type SignedIn, sure } from '../../tests/access.ts';
import { ask, openDoors, type Doors } from '../../tests/doors.ts';
import { startGateway } from '../start-gateway.ts';

const TOTAL = 'query Total { runs { totalCount } }';
const STOP = 'mutation Stop($id: ID!) { cancelRun(runId: $id) { id } }';
const PUBLISH = `mutation ($documents: [OperationDocumentInput!]!) {
  publishOperationDocuments(documents: $documents) { added documents { hash name kind } } }`;
const LIST = '{ operationDocuments { hash name kind body publishedBy publishedAt } }';
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe('published documents', () => {
  let doors: Doors;
  let ada: SignedIn;
  /** Takes nothing but published documents. */
  let strict: Awaited<ReturnType<typeof startGateway>>;
  let url: string;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
    const only = { WORKFLOW_API_URL: `${doors.apiUrl}/graphql`, WEFT_GATEWAY_DOCUMENTS: 'only' };
    strict = await startGateway({ ...doors.settings, ...only }, pino({ level: 'silent' }));
    url = `http://127.0.0.1:${strict.port}`;
    ada = await signUp(doors, 'ada', ['viewer']);
  }, 120_000);
  afterAll(async () => {
    await strict?.stop();
    await doors?.close();
  });

  const operator = (query: string, variables = {}) => ask(url, query, variables, doors.settings.WEFT_OPERATOR_TOKEN);
  const publish = (documents: object[]) => operator(PUBLISH, { documents });
  const codeOf = async (documents: object[]) => (await publish(documents)).errors?.[0].extensions.code;
  const byHash = (text: string, token: string, variables = {}) =>
    send(url, { documentId: hashOf(text), variables }, token);

  it('are published once, listed by name, taken by their hash from those who may read, and taken back', async () => {
    expect((await ask(url, '{ me { name } }', {}, ada.token)).errors?.[0].extensions.code).toBe(
      'DOCUMENT_NOT_PUBLISHED',
    );
    const documents = [{ body: TOTAL, hash: `sha256:${hashOf(TOTAL)}` }, { body: STOP }, { body: TOTAL }];
    const shown = [
      { hash: hashOf(TOTAL), name: 'Total', kind: 'QUERY' },
      { hash: hashOf(STOP), name: 'Stop', kind: 'MUTATION' },
    ];
    expect((await publish(documents)).data.publishOperationDocuments).toEqual({ added: 2, documents: shown });
    expect((await publish(documents)).data.publishOperationDocuments.added).toBe(0);
    expect((await operator(LIST)).data.operationDocuments).toMatchObject([
      { ...shown[1], body: STOP, publishedAt: expect.any(String) },
      { ...shown[0], body: TOTAL },
    ]);

    expect((await byHash(TOTAL, ada.token)).data).toEqual({ runs: { totalCount: 0 } });
    expect((await ask(url, TOTAL, {}, ada.token)).errors).toBeUndefined();
    expect((await byHash(STOP, ada.token, { id: 'x' })).errors?.[0].extensions.code).toBe('ACCESS_DENIED');

    const remove = 'mutation ($hash: String!) { removeOperationDocument(hash: $hash) }';
    expect((await operator(remove, { hash: hashOf(STOP) })).data).toEqual({ removeOperationDocument: true });
    expect((await operator(remove, { hash: hashOf(STOP) })).errors?.[0].extensions.code).toBe('NOT_FOUND');
    expect((await operator(LIST)).data.operationDocuments).toHaveLength(1);
  }, 60_000);

  it('are all refused with one that is wrong', async () => {
    const fine = { body: 'query Fine { __typename }' };
    expect(await codeOf([fine, { body: TOTAL, hash: '0'.repeat(64) }])).toBe('INPUT_INVALID');
    expect(await codeOf([fine, { body: 'query {' }])).toBe('INPUT_INVALID');
    expect(await codeOf([fine, { body: 'fragment A on Run { id }' }])).toBe('INPUT_INVALID');
    expect(await codeOf([fine, { body: `${fine.body}\0` }])).toBe('INPUT_INVALID');
    expect(await codeOf(Array.from({ length: 1_001 }, () => fine))).toBe('INPUT_INVALID');
    const listed = await operator(LIST);
    expect(JSON.stringify(listed)).not.toContain('Fine');
  }, 60_000);

  it('are those of a tenant and of the first one, and told to nobody but the gateway', async () => {
    const { data } = await sure(doors, 'mutation { createTenant(id: "blue") { admin { oneTimePassword } } }', {});
    const blue = await chooseOwnPassword(doors, 'admin', data.createTenant.admin.oneTimePassword, 'blue');
    const [shared, own] = ['query Shared { me { name } }', 'query Own { me { name roles } }'];
    expect((await publish([{ body: shared }])).errors).toBeUndefined();
    await doors.pool.query(
      `INSERT INTO operation_documents (tenant_id, hash, name, kind, body) VALUES ('blue', $1, 'Own', 'query', $2)`,
      [hashOf(own), own],
    );
    expect((await byHash(shared, blue.token)).data.me).toEqual({ name: 'admin' });
    expect((await byHash(own, blue.token)).data.me).toEqual({ name: 'admin', roles: ['admin'] });
    expect((await byHash(own, ada.token)).errors?.[0].extensions.code).toBe('DOCUMENT_NOT_PUBLISHED');
    for (const headers of [{}, { authorization: `Bearer ${ada.token}` }]) {
      const answer = await fetch(`${doors.apiUrl}/internal/documents/${hashOf(shared)}`, { headers });
      expect(answer.status).toBe(401);
    }
  }, 60_000);
});

async function send(url: string, body: object, token: string): Promise<{ data: any; errors?: any[] }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { data: any };
}
