import type { DescribedCommand } from '../../../temporal/replay/describe-divergence.ts';
import type { ReplayedLink } from '../../../temporal/replay/replay-links.ts';
import type { CodeRange } from './code-range.ts';

export type ReplayReport = ReplayedLink & { code: CodeRange | null };

/** A line for a history that replays, and below it what differs where it does not. */
export function describeReplayed({ divergence, code, ...link }: ReplayReport): string {
  const name = `${link.workflowId} link ${link.link} (${link.events} events)`;
  if (divergence === null) return `ok        ${name}`;
  const { event, nodeId, iteration, expected, actual } = divergence;
  const at = event === null ? '' : ` at event ${event.id} ${event.type}`;
  const rows: [string, string | null][] = [
    ['node', nodeId === null ? null : `${nodeId}#${iteration ?? '1'}`],
    ['expected', expected && commandText(expected)],
    ['actual', actual ? commandText(actual) : divergence.nondeterminism ? 'nothing' : null],
    ['message', divergence.message],
    ['recorded by', link.buildId],
    ['code', code && rangeText(code)],
    ...(code?.commits ?? []).map((commit): [string, string] => ['', commit]),
  ];
  const lines = rows.flatMap(([label, text]) => (text === null ? [] : [`  ${label.padEnd(12)}${text}`]));
  return [`${divergence.nondeterminism ? 'DIVERGED' : 'FAILED  '}  ${name}${at}`, ...lines].join('\n');
}

function commandText({ kind, nodeId, iteration, name }: DescribedCommand): string {
  const node = nodeId === null ? null : `${nodeId}#${iteration ?? '1'}`;
  return [kind, name ?? node].filter((part) => part !== null).join(' ');
}

function rangeText({ from, to, dirty, commits }: CodeRange): string {
  const now = `${to}${dirty ? ' with uncommitted changes' : ''}`;
  if (from !== null) return `${from}..${now}`;
  return commits.length > 0 ? `up to ${now}; touched since the recording:` : `up to ${now}`;
}
