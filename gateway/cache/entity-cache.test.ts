import { describe, expect, it } from '@jest/globals';
import { createEntityCache, type EntityFetch } from './entity-cache.ts';

const SHARED = { maxAge: 10, private: false };
const OWN = { maxAge: 10, private: true };
const fetchOf = (change: Partial<EntityFetch['scopes']> = {}): EntityFetch => ({
  scopes: { tenantId: 'acme', shared: 'acme readers', own: 'acme ann', ...change },
  asked: 'names',
});
const item = (id: string) => ({ representation: `{"__typename":"Item","id":"${id}"}`, text: `{"name":"${id}"}` });
const a = item('a');

describe('the entity cache', () => {
  it('gives what it keeps as long as it may, and says how long that still is', () => {
    let at = 0;
    const cache = createEntityCache(100_000, undefined, () => at);
    cache.keep(fetchOf(), [a], SHARED, cache.moment());
    at = 4_000;
    expect(cache.find(fetchOf(), a.representation)).toEqual({ text: a.text, policy: { maxAge: 6, private: false } });
    at = 10_000;
    expect(cache.find(fetchOf(), a.representation)).toBeUndefined();
    expect(cache.figures()).toMatchObject({ entities: 0, bytes: 0 });
  });

  it('keeps nothing that may not be kept', () => {
    const cache = createEntityCache(100_000);
    cache.keep(fetchOf(), [a], { maxAge: 0, private: false }, cache.moment());
    cache.keep(fetchOf({ own: null }), [a], OWN, cache.moment());
    expect(cache.figures().entities).toBe(0);
  });

  it('gives nothing to another tenant, to whoever may see something else, and what is private to nobody else', () => {
    const cache = createEntityCache(100_000);
    cache.keep(fetchOf(), [a], SHARED, cache.moment());
    expect(cache.find(fetchOf({ own: 'acme bob' }), a.representation)?.text).toBe(a.text);
    expect(cache.find(fetchOf({ shared: 'acme writers' }), a.representation)).toBeUndefined();
    expect(cache.find({ ...fetchOf(), asked: 'ranks' }, a.representation)).toBeUndefined();
    const b = item('b');
    cache.keep(fetchOf(), [b], OWN, cache.moment());
    expect(cache.find(fetchOf(), b.representation)).toMatchObject({ text: b.text, policy: { private: true } });
    expect(cache.find(fetchOf({ own: 'acme bob' }), b.representation)).toBeUndefined();
    expect(cache.find(fetchOf({ own: null }), b.representation)).toBeUndefined();
    expect(cache.find(fetchOf({ shared: 'acme ann', own: null }), b.representation)).toBeUndefined();
  });

  it('forgets an entity that has changed, of that tenant alone', () => {
    const cache = createEntityCache(100_000);
    const other = fetchOf({ tenantId: 'globex', shared: 'globex readers' });
    for (const fetch of [fetchOf(), other]) cache.keep(fetch, [a, item('b')], SHARED, cache.moment());
    cache.purge('acme', 'Item', 'a');
    expect(cache.find(fetchOf(), a.representation)).toBeUndefined();
    expect(cache.find(fetchOf(), item('b').representation)).toBeDefined();
    expect(cache.find(other, a.representation)).toBeDefined();
  });

  it('does not keep what has changed since it was asked for', () => {
    const cache = createEntityCache(100_000);
    const since = cache.moment();
    cache.purge('acme', 'Item', 'a');
    cache.keep(fetchOf(), [a, item('b')], SHARED, since);
    expect(cache.find(fetchOf(), a.representation)).toBeUndefined();
    expect(cache.find(fetchOf(), item('b').representation)).toBeDefined();
    cache.clear();
    cache.keep(fetchOf(), [a], SHARED, since);
    expect(cache.figures()).toMatchObject({ entities: 0, bytes: 0 });
    cache.keep(fetchOf(), [a], SHARED, cache.moment());
    expect(cache.figures().entities).toBe(1);
  });

  it('stays within its bounds whatever comes', () => {
    const cache = createEntityCache(20_000);
    for (let index = 0; index < 5_000; index += 1) {
      cache.keep(fetchOf(), [item(`x${index}`)], SHARED, cache.moment());
      cache.purge('acme', 'Item', `other ${index}`);
    }
    const { entities, bytes } = cache.figures();
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(entities).toBeGreaterThan(10);
    expect(cache.find(fetchOf(), item('x4999').representation)).toBeDefined();
    cache.keep(fetchOf(), [{ ...a, text: `"${'x'.repeat(30_000)}"` }], SHARED, cache.moment());
    expect(cache.find(fetchOf(), a.representation)).toBeUndefined();
  });
});
