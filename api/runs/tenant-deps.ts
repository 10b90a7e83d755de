import { createTenantPool, tenantPool } from '../../adapters/postgres/tenant-pool.ts';
import { storageOf } from '../../adapters/postgres/payload-storage.ts';
import type { Settings } from '../../config/settings.ts';
import { tenantNamespaces } from '../../temporal/tenant-namespaces.ts';
import type { Principal } from '../access/principal.ts';
import { checkDeadline } from '../http/request-deadline.ts';
import type { RunsDeps } from './deps.ts';

type Pool = RunsDeps['pool'];
/** What operations on behalf of a principal work on: of the database they reach the principal's tenant alone. */
export type TenantDeps = { of(principal: Pick<Principal, 'tenantId'>): RunsDeps; close(): Promise<void> };
type Context = { principal: Principal; deadline?: number | undefined };
type Resolve = (...values: unknown[]) => unknown;
type ResolverMap = Readonly<Record<string, unknown>>;

/** More are forgotten, the one used longest ago first; making one again costs next to nothing. */
const KEPT = 1_000;

/** The one place where a principal's tenant becomes what the database lets through. */
export function createTenantDeps(
  deps: RunsDeps,
  { DATABASE_URL, CONNECTION_POOL_SIZE }: Pick<Settings, 'DATABASE_URL' | 'CONNECTION_POOL_SIZE'>,
): TenantDeps {
  const connections: Pool = createTenantPool(String(DATABASE_URL), CONNECTION_POOL_SIZE, storageOf(deps.pool));
  const of = remembered((tenantId: string) => ({
    ...inTenant(deps, tenantId),
    pool: tenantPool(connections, tenantId),
  }));
  return { of: ({ tenantId }) => of(tenantId), close: () => connections.end() };
}

/** Works with the runs of a tenant where they are, for what is done on behalf of all. */
export function inTenant(deps: RunsDeps, tenantId: string): RunsDeps {
  const { temporalOf, settings } = deps;
  if (temporalOf === undefined) return deps;
  const namespace = tenantNamespaces(settings).of(tenantId);
  return { ...deps, temporal: temporalOf(tenantId), settings: { ...settings, TEMPORAL_NAMESPACE: namespace } };
}

/** Resolvers that answer each request with those made for the deps of its principal. */
export function tenantResolvers<Resolvers extends ResolverMap>(
  deps: RunsDeps,
  tenants: TenantDeps,
  resolversOf: (deps: RunsDeps) => Resolvers,
): Resolvers {
  const of = remembered((_: string, context: Context) => resolversOf(tenants.of(context.principal)));
  const at = (map: unknown, path: readonly string[]): unknown =>
    path.reduce<unknown>((part, name) => (part as ResolverMap)[name], map);
  const bound = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'function') {
      // A reference resolver has the context one place earlier than a field's.
      const place = path.at(-1) === '__resolveReference' ? 1 : 2;
      return (...values: unknown[]) => {
        const context = values[place] as Context;
        checkDeadline(context.deadline);
        return (at(of(context.principal.tenantId, context), path) as Resolve)(...values);
      };
    }
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, bound(part, [...path, name])]));
  };
  return bound(resolversOf(deps), []) as Resolvers;
}

function remembered<Value, Rest extends unknown[]>(make: (key: string, ...rest: Rest) => Value) {
  const kept = new Map<string, Value>();
  return (key: string, ...rest: Rest): Value => {
    const value = kept.get(key) ?? make(key, ...rest);
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value as string);
    return value;
  };
}
