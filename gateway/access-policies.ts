import type { AccessRule } from './access-rules.ts';
import type { CacheScopes } from './cache/entity-cache.ts';

/** Whoever asks, as rules look at it. */
export type Caller = {
  kind: string;
  permissions: ReadonlySet<string>;
  roles: ReadonlySet<string>;
  /** Without them nothing is kept for it. */
  scopes?: CacheScopes;
  /** Hears of what it was refused. */
  refused: (field: string, rules: readonly AccessRule[]) => void;
};

export const UNKNOWN: Caller = { kind: 'NOBODY', permissions: new Set(), roles: new Set(), refused: () => {} };

const POLICY = /^(?:public|(role|kind):([\w-]+))$/;

/** The policies that `@policy` may name: `public`, `role:<role>` and `kind:<user|service|operator>`. */
export const isPolicy = (name: string): boolean => POLICY.test(name);

/** Whoever has no account; its refusals are a call to sign in. */
export const isNobody = ({ kind }: Caller): boolean => kind === 'NOBODY';

export function permits(caller: Caller, { kind, anyOf }: AccessRule): boolean {
  if (kind === 'authenticated') return !isNobody(caller);
  const holds = kind === 'scopes' ? (name: string) => caller.permissions.has(name) : policyTest(caller);
  return anyOf.some((all) => all.every(holds));
}

function policyTest({ kind, roles }: Caller): (name: string) => boolean {
  return (name) => {
    const [found, what, value = ''] = POLICY.exec(name) ?? [];
    if (what === undefined) return found !== undefined;
    return what === 'role' ? roles.has(value) : kind === value.toUpperCase();
  };
}

/** As it is told to whoever is refused. */
export function ruleText({ kind, anyOf }: AccessRule): string {
  if (kind === 'authenticated') return 'authenticated';
  return anyOf.map((all) => all.join(' and ')).join(', or ') || 'what nobody has';
}
