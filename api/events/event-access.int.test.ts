import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { recordEvents } from '../../adapters/postgres/record-events.ts';
import { signInRequired, signUp } from '../../tests/access.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';

describe('following events where everybody has to sign in', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors(signInRequired());
  }, 60_000);
  afterAll(() => doors.close());

  const get = (token?: string) =>
    fetch(`${doors.apiUrl}/events?after=0`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(20_000),
    });
  /** Types of what comes until a schedule is paused. */
  async function typesFor(token: string): Promise<string[]> {
    const response = await get(token);
    expect(response.status).toBe(200);
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('schedule.paused')) break;
    }
    return [...text.matchAll(/"type":"([a-z_.]+)"/g)].map(([, type]) => type!);
  }

  it('is for those with events:read, and the security audit for those who may administer access', async () => {
    const analyst = await signUp(doors, 'vera', ['analyst']);
    const admin = await signUp(doors, 'ada', ['admin']);
    const payload = { id: 's', by: null, note: null };
    await recordEvents(doors.pool, 'default', [{ type: 'schedule.paused', id: 's', payload }]);
    expect((await get()).status).toBe(401);
    expect((await get('wrong')).status).toBe(401);
    const viewer = await signUp(doors, 'tom', ['viewer']);
    expect((await get(viewer.token)).status).toBe(403);
    expect((await typesFor(analyst.token)).some((type) => type.startsWith('access.'))).toBe(false);
    expect(await typesFor(admin.token)).toContain('access.user_created');
  });

  it('takes the token of a WebSocket as a header or as a subprotocol', async () => {
    const url = `${doors.apiUrl.replace('http', 'ws')}/events/socket`;
    const { token } = await signUp(doors, 'bob', ['analyst']);
    const answerOf = async (socket: WebSocket) => {
      socket.on('open', () => socket.send('{"type":"subscribe","id":"x"}'));
      const [data] = (await once(socket, 'message')) as [Buffer];
      socket.terminate();
      return JSON.parse(data.toString()) as unknown;
    };
    const named = new WebSocket(url, ['weft.events', `bearer.${token}`]);
    expect(await answerOf(named)).toMatchObject({ type: 'subscribed', id: 'x' });
    const headed = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    expect(await answerOf(headed)).toMatchObject({ type: 'subscribed' });
    expect(await answerOf(new WebSocket(url))).toMatchObject({ type: 'error', code: 'UNAUTHENTICATED' });
  });
});
