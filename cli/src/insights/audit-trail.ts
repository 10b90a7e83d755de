import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { AuditOptions } from '../insight-commands.ts';

const TRAIL = `query ($first: Int, $actor: String, $action: String, $target: String, $from: DateTime, $to: DateTime) {
  auditTrail(first: $first, actor: $actor, action: $action, target: $target, from: $from, to: $to) {
    totalCount edges { node { position occurredAt action actor target detail } }
  }
}`;
type Entry = {
  position: number;
  occurredAt: string;
  action: string;
  actor: string | null;
  target: string;
  detail: Record<string, unknown>;
};
type Answer = { auditTrail: { totalCount: number; edges: { node: Entry }[] } };

const SHOWN = 100;

export async function auditTrail(options: AuditOptions & { url: string }): Promise<number> {
  const { auditTrail: trail } = await createGatewayClient(options.url)<Answer>(TRAIL, {
    first: options.first ?? 50,
    actor: options.actor,
    action: options.action,
    target: options.target,
    from: options.since,
    to: options.until,
  });
  const entries = trail.edges.map(({ node }) => node);
  if (options.json) {
    printJson(entries);
    return 0;
  }
  const rows = entries.map(({ occurredAt, actor, action, target, detail }) => [
    occurredAt,
    actor ?? '-',
    action,
    target,
    shown(detail),
  ]);
  printRows([['WHEN', 'WHO', 'WHAT', 'TO', ''], ...rows]);
  if (trail.totalCount > entries.length) process.stdout.write(`${trail.totalCount} in all\n`);
  return 0;
}

/** What is said about it, where something is. */
function shown(detail: Record<string, unknown>): string {
  const said = Object.entries(detail).filter(([, value]) => value !== null);
  const text = said.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ');
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`;
}
