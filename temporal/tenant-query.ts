import { DEFAULT_TENANT } from '../domain/identifiers.ts';
import { TENANT_ATTRIBUTE } from './search-attributes.ts';

/**
 * A query of Temporal's visibility that finds nothing but what a tenant has in a namespace; null where the text could reach out of
 * the brackets that it is put in. What other clients start bears no tenant: in the shared namespace it is the default tenant's.
 */
export function tenantQuery(query: string, tenantId: string, own: boolean): string | null {
  const named = `${TENANT_ATTRIBUTE.name} = '${tenantId.replaceAll("'", "''")}'`;
  const mine = own || tenantId === DEFAULT_TENANT ? `(${named} OR ${TENANT_ATTRIBUTE.name} IS NULL)` : named;
  if (query.trim() === '') return mine;
  return isEnclosed(query) ? `${mine} AND (${query})` : null;
}

/** Without comments, escapes and what ends a text, brackets and quotes are all that could. */
function isEnclosed(query: string): boolean {
  if (/[\\;\p{Cc}]/u.test(query)) return false;
  let depth = 0;
  let quote: string | null = null;
  for (let place = 0; place < query.length; place += 1) {
    const sign = query.charAt(place);
    if (quote !== null) {
      if (sign === quote) quote = null;
    } else if (`'"\``.includes(sign)) quote = sign;
    else if (sign === '(') depth += 1;
    else if (sign === ')' && (depth -= 1) < 0) return false;
    else if (['#', '--', '/*', '//'].some((comment) => query.startsWith(comment, place))) return false;
  }
  return depth === 0 && quote === null;
}
