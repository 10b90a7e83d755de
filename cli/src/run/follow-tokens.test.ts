import { describe, expect, it } from '@jest/globals';
import { createTokenPrinter, serverSentEvents } from './follow-tokens.ts';

describe('tokens on a terminal', () => {
  it('are one text of one model, and say whose turn it is when several speak', () => {
    let out = '';
    const { show, rest } = createTokenPrinter((text) => void (out += text));
    show('a', { type: 'start', attempt: 1, provider: 'openai', model: 'gpt-5' });
    for (const text of ['Light ', 'bends']) show('a', { type: 'text', attempt: 1, text });
    show('b', { type: 'text', attempt: 1, text: 'Rain' });
    show('a', { type: 'text', attempt: 1, text: '.' });
    show('a', { type: 'reset', attempt: 2 });
    show('b', { type: 'error', attempt: 1, code: 'MODEL_AUTH', message: 'no' });
    rest();
    expect(out).toBe('  a < openai/gpt-5\nLight bends\n  b <\nRain\n  a <\n.\n  a begins again\n  b MODEL_AUTH: no\n');
  });
});

describe('server-sent events', () => {
  it('are read however the bytes are cut', async () => {
    const bytes = Buffer.from(
      'retry: 1000\n\nid: 1.1\nevent: text\ndata: {"text":"ä"}\n\n: alive\n\nid: 1.2\nevent: end\ndata: {}\n\n',
    );
    const cut = async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    };
    const events = [];
    for await (const event of serverSentEvents(cut())) events.push(event);
    expect(events).toEqual([
      { id: '1.1', event: 'text', data: '{"text":"ä"}' },
      { id: '1.2', event: 'end', data: '{}' },
    ]);
  });
});
