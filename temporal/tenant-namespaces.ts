import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import { DEFAULT_TENANT, tenantId, type TenantId } from '../domain/identifiers.ts';

/** Where each tenant's runs live: the shared namespace, or one of its own. */
export type TenantNamespaces = {
  /** Every namespace in use, the shared one first. */
  all: readonly string[];
  of: (tenant: string) => string;
  /** Whose runs a namespace holds; null for the shared one, where a run says so itself. */
  ownerOf: (namespace: string) => TenantId | null;
};

type NamespaceSettings = Pick<Settings, 'TEMPORAL_NAMESPACE' | 'WEFT_TENANT_NAMESPACES'>;

/** @throws AppError SETUP_INCOMPLETE for an entry that is none, and for a namespace that two tenants would share */
export function tenantNamespaces(settings: NamespaceSettings): TenantNamespaces {
  const { TEMPORAL_NAMESPACE: shared, WEFT_TENANT_NAMESPACES: entries } = settings;
  const namespaces = new Map<string, string>();
  const owners = new Map<string, TenantId>();
  for (const entry of entries) {
    const [, tenant, namespace] = /^([^=]+)=([^=]+)$/.exec(entry) ?? [];
    const taken = namespace === shared || owners.has(namespace ?? '') || namespaces.has(tenant ?? '');
    if (tenant === undefined || namespace === undefined || taken) {
      const detail = `WEFT_TENANT_NAMESPACES: ${entry} must be tenant=namespace, with a namespace that nobody else has`;
      throw new AppError('SETUP_INCOMPLETE', { detail });
    }
    namespaces.set(tenant, namespace);
    owners.set(namespace, tenantId(tenant));
  }
  return {
    all: [shared, ...owners.keys()],
    of: (tenant) => namespaces.get(tenant) ?? shared,
    ownerOf: (namespace) => owners.get(namespace) ?? null,
  };
}

/** Everything in one namespace. */
export function sharedNamespace(namespace: string): TenantNamespaces {
  return { all: [namespace], of: () => namespace, ownerOf: () => null };
}

/** Whom a run of the shared namespace belongs to, by its search attribute. */
export const tenantOr = (named: string | null): TenantId => (named === null ? DEFAULT_TENANT : tenantId(named));
