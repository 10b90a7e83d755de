import { describe, expect, it } from '@jest/globals';
import { nextHop, type Hop } from './next-hop.ts';

const hop = (more: Partial<Hop> = {}): Hop => ({
  url: new URL('https://api.example/v1/a'),
  method: 'POST',
  headers: { authorization: 'Bearer x', cookie: 'a=b', 'content-type': 'application/json', accept: '*/*' },
  body: '{}',
  ...more,
});

describe('nextHop', () => {
  it.each([200, 201, 300, 304, 404])('does not follow %i', (status) => {
    expect(nextHop(hop(), status, 'https://other.example/')).toBeNull();
  });

  it('does not follow a redirect to nowhere', () => {
    expect(nextHop(hop(), 302, undefined)).toBeNull();
  });

  it.each([301, 302, 303])('turns POST into GET without a body at %i', (status) => {
    const next = nextHop(hop(), status, '/b')!;
    expect(next).toMatchObject({ method: 'GET', body: undefined });
    expect(next.url.href).toBe('https://api.example/b');
    expect(Object.keys(next.headers)).toEqual(['authorization', 'cookie', 'accept']);
  });

  it.each([307, 308])('repeats method and body at %i', (status) => {
    expect(nextHop(hop(), status, '/b')).toMatchObject({ method: 'POST', body: '{}' });
  });

  it.each(['https://other.example/', 'http://api.example/', 'https://api.example:8443/'])(
    'takes no secrets along to %s',
    (location) => {
      expect(Object.keys(nextHop(hop(), 307, location)!.headers)).toEqual(['content-type', 'accept']);
    },
  );

  it.each([
    'file:///etc/passwd',
    'ftp://example.com/',
    'javascript:alert(1)',
    'http://user:pw@example.com/',
    'http://[',
  ])('refuses to go to %s', (location) => {
    expect(() => nextHop(hop(), 302, location)).toThrow(expect.objectContaining({ code: 'HTTP_REQUEST_INVALID' }));
  });
});
