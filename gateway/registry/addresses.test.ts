import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { signInstance } from '../../adapters/registry/sign-instance.ts';
import type { SubgraphInstance } from '../../adapters/registry/subgraph-instances.ts';
import { createInternalTokens } from '../../adapters/tokens/internal-token.ts';
import { loadSettings } from '../../config/load.ts';
import { createAddresses } from './addresses.ts';

const settings = loadSettings({ WORKFLOW_API_URL: 'http://127.0.0.1:1/graphql' });
const tokens = createInternalTokens(['a secret of at least thirty-two characters']);
const MINE = 'http://10.0.0.7:8080/graphql';

const instance = (changes: Partial<SubgraphInstance> = {}): SubgraphInstance => ({
  ...{
    subgraph: 'runs',
    instance: 'one',
    url: MINE,
    host: 'elsewhere',
    sdlHash: 'abc',
    health: 'healthy',
    proof: null,
  },
  ...{ startedAt: new Date(1), seenAt: new Date(), expiresAt: new Date() },
  ...changes,
});
const signed = async (changes: Partial<SubgraphInstance> = {}) => {
  const one = instance(changes);
  return { ...one, proof: await signInstance(tokens, one) };
};

describe('where subgraphs are', () => {
  it('is what a process signed, else what was published, else what the settings say', async () => {
    const addresses = createAddresses(settings, tokens);
    expect(addresses.of('runs').href).toBe('http://127.0.0.1:1/graphql');
    addresses.publish({ runs: 'http://published:2/graphql', notes: null });
    expect(addresses.of('runs').href).toBe('http://published:2/graphql');
    expect(await addresses.take([await signed()])).toBe(true);
    expect(addresses.of('runs').href).toBe(MINE);
    expect(await addresses.take([await signed({ instance: 'two' })])).toBe(false);
    expect(await addresses.take([])).toBe(true);
    expect(addresses.of('runs').href).toBe('http://published:2/graphql');
    expect(addresses.of('notes').hostname).toMatch(/\.invalid$/);
  });

  it('is not what nobody signed, or somebody signed for another address', async () => {
    const addresses = createAddresses(settings, tokens);
    const stolen = { ...(await signed()), url: 'http://evil.example/graphql' };
    const foreign = instance();
    const other = createInternalTokens(['another secret of thirty-two characters.']);
    foreign.proof = await signInstance(other, foreign);
    expect(await addresses.take([stolen, instance(), foreign, instance({ url: 'nonsense' })])).toBe(false);
    expect(addresses.of('runs').href).toBe('http://127.0.0.1:1/graphql');
  });

  it('is the loopback address of a process on this machine alone, and without signatures nothing else', async () => {
    const addresses = createAddresses(settings, null);
    const near = { url: 'http://127.0.0.1:8080/graphql' };
    await addresses.take([instance(near), instance()]);
    expect(addresses.of('runs').port).toBe('1');
    await addresses.take([instance({ ...near, host: hostname() })]);
    expect(addresses.of('runs').port).toBe('8080');
  });

  it('is where the process is that is well and started last', async () => {
    const addresses = createAddresses(settings, tokens);
    const [older, newer, ill, leaving] = await Promise.all([
      signed({ url: 'http://h:1/', startedAt: new Date(1) }),
      signed({ url: 'http://h:2/', startedAt: new Date(2) }),
      signed({ url: 'http://h:3/', startedAt: new Date(3), health: 'unhealthy' }),
      signed({ url: 'http://h:4/', startedAt: new Date(4), health: 'draining' }),
    ]);
    await addresses.take([leaving, ill, older, newer]);
    expect(addresses.of('runs').port).toBe('2');
    await addresses.take([leaving, ill]);
    expect(addresses.of('runs').port).toBe('3');
  });
});
