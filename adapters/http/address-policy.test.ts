import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isAllowedHost, isPublicAddress } from './address-policy.ts';

const NOT_PUBLIC = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::a00:1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
  'not an address',
];

describe('isPublicAddress', () => {
  it.each(NOT_PUBLIC)('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
  ])('takes %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('never takes a private IPv4 address in whatever IPv6 clothes', () => {
    const octet = fc.nat(255);
    fc.assert(
      fc.property(fc.constantFrom(10, 127), octet, octet, octet, (a, b, c, d) => {
        const dotted = [a, b, c, d].join('.');
        const hex = [(a << 8) | b, (c << 8) | d].map((part) => part.toString(16)).join(':');
        const disguises = [
          dotted,
          `::${dotted}`,
          `::ffff:${dotted}`,
          `64:ff9b::${hex}`,
          `2002:${hex}::1`,
          `::ffff:0:${hex}`,
        ];
        expect(disguises.filter(isPublicAddress)).toEqual([]);
      }),
    );
  });
});

describe('isAllowedHost', () => {
  it.each([
    ['http://localhost:9000/', ['localhost'], true],
    ['http://localhost:9000/', ['LOCALHOST:9000'], true],
    ['http://localhost:9001/', ['localhost:9000'], false],
    ['https://internal.example/', ['internal.example:443'], true],
    ['http://internal.example/', ['internal.example:443'], false],
    ['http://internal.example./', ['internal.example'], true],
    ['http://[::1]:9000/', ['[::1]:9000'], true],
    ['http://not-localhost/', ['localhost'], false],
    ['http://localhost.evil.example/', ['localhost'], false],
    ['http://localhost/', [], false],
  ])('%s with %j: %s', (url, allowed, expected) => {
    expect(isAllowedHost(new URL(url), allowed)).toBe(expected);
  });
});
