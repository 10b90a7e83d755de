import { describe, expect, it } from '@jest/globals';
import { createSecretBox } from './secret-box.ts';
import { checkWebhookLink, publicUrl, webhookLink } from './webhook-links.ts';

const OLD = 'o'.repeat(32);
const NEW = 'n'.repeat(32);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a secret box', () => {
  it('opens what it sealed, never the same twice, and only in its own place', () => {
    const box = createSecretBox([OLD]);
    const sealed = box.seal('whsec_x', 'webhook/a');
    expect(sealed).not.toBe(box.seal('whsec_x', 'webhook/a'));
    expect(sealed).not.toContain('whsec_x');
    expect(box.open(sealed, 'webhook/a')).toBe('whsec_x');
    expect(() => box.open(sealed, 'webhook/b')).toThrow();
    expect(() => box.open(`${sealed.slice(0, -2)}AA`, 'webhook/a')).toThrow();
  });

  it('goes on with earlier keys behind a new one, and says which is missing', () => {
    const before = createSecretBox([OLD]);
    const both = createSecretBox([NEW, OLD]);
    const after = createSecretBox([NEW]);
    const sealed = before.seal('secret', 'here');
    expect(both.open(sealed, 'here')).toBe('secret');
    expect(() => after.open(sealed, 'here')).toThrow(code('SETUP_INCOMPLETE'));
    expect(both.verify('text', before.sign('text'))).toBe(true);
    expect(after.open(both.seal('secret', 'here'), 'here')).toBe('secret');
    expect(after.verify('text', before.sign('text'))).toBe(false);
  });

  it('does nothing without a key, nor with a short one', () => {
    expect(() => createSecretBox([]).seal('secret', 'here')).toThrow(code('SETUP_INCOMPLETE'));
    expect(() => createSecretBox([]).sign('text')).toThrow(code('SETUP_INCOMPLETE'));
    expect(() => createSecretBox(['short'])).toThrow(code('SETUP_INCOMPLETE'));
  });
});

describe('a signed link', () => {
  const box = createSecretBox([OLD]);
  const link = { runId: 'run-1:child/2', nodeId: 'answer', expires: 1_000 };
  const signature = new URL(webhookLink(box, 'https://weft.example', link)).searchParams.get('signature') ?? '';

  it('holds for its run, node and time', () => {
    expect(() => checkWebhookLink(box, link, signature, 999)).not.toThrow();
    expect(() => checkWebhookLink(box, link, signature, 1_000)).toThrow(code('LINK_EXPIRED'));
    for (const change of [{ runId: 'run-1' }, { nodeId: 'other' }, { expires: 2_000 }, { expires: NaN }]) {
      expect(() => checkWebhookLink(box, { ...link, ...change }, signature, 999)).toThrow(code('LINK_INVALID'));
    }
    expect(() => checkWebhookLink(box, link, '', 999)).toThrow(code('LINK_INVALID'));
  });

  it('begins with the public address', () => {
    expect(publicUrl({ WEFT_PUBLIC_URL: 'https://weft.example/base/', WEFT_HOST: 'x', PORT: 1 })).toBe(
      'https://weft.example/base',
    );
    expect(publicUrl({ WEFT_PUBLIC_URL: null, WEFT_HOST: '0.0.0.0', PORT: 8080 })).toBe('http://127.0.0.1:8080');
  });
});
