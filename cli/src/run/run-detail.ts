import { RUN_VIEW, type RunView, statusOf } from '../flow/run-view.ts';
import type { GatewayClient } from '../gateway-client.ts';
import { type RunWarning, WARNING_FIELDS } from '../run-warnings.ts';
import { UsageError } from '../usage-error.ts';

export type NodeView = {
  id: string;
  type: string;
  path: string;
  status: string;
  port: string | null;
  handled: boolean;
  attempts: number;
  error: { code: string; message: string } | null;
  startedAt: string | null;
  closedAt: string | null;
};

export type RunDetail = RunView & {
  input: unknown;
  trigger: { kind: string; id: string | null };
  parent: { nodeId: string; path: string; run: { id: string } } | null;
  versions: { version: number; since: string; by: string | null }[];
  temporalUrl: string;
  warnings: RunWarning[];
  nodes: NodeView[];
  children: { totalCount: number; edges: { node: RunView & { parent: { nodeId: string; path: string } } }[] };
};

const DETAIL = `query ($id: ID!, $nodes: Int!) { run(id: $id) { ${RUN_VIEW}
  input trigger { kind id } parent { nodeId path run { id } } versions { version since by } temporalUrl
  warnings { ${WARNING_FIELDS} }
  nodes(first: $nodes) { id type path status port handled attempts error { code message } startedAt closedAt }
  children(first: 50) { totalCount edges { node { ${RUN_VIEW} parent { nodeId path } } } }
} }`;

/** @throws UsageError when there is no such run */
export async function readRunDetail(gateway: GatewayClient, id: string, nodes: number): Promise<RunDetail> {
  const { run } = await gateway<{ run: RunDetail | null }>(DETAIL, { id, nodes });
  if (run === null) throw new UsageError(`There is no run ${id}`, 'See them with: weft run list');
  return run;
}

/** `charge#2.5`; the path is left out where it says nothing. */
export const nodeName = ({ id, path }: { id: string; path: string }): string => (path === '1' ? id : `${id}#${path}`);

export function tookOf({ startedAt, closedAt }: { startedAt: string | null; closedAt: string | null }): string {
  if (startedAt === null || closedAt === null) return '';
  return `${((Date.parse(closedAt) - Date.parse(startedAt)) / 1000).toFixed(2)} s`;
}

export function nodeRemark({ error, port, handled }: NodeView): string {
  if (error !== null) return `${error.code}: ${error.message}${handled ? ' (dealt with)' : ''}`;
  return port === null || port === 'out' ? '' : `by ${port}`;
}

/** What a person reads above the table of nodes, as pairs. */
export function describeRun(run: RunDetail): [string, string][] {
  const { parent, trigger, error } = run;
  const labels = Object.entries(run.labels).map(([key, value]) => `${key}=${value}`);
  const earlier = run.versions.slice(0, -1).map(({ version }) => `v${version}`);
  const took = tookOf(run);
  const lines: [string, string | null][] = [
    ['run', run.id],
    [
      'workflow',
      `${run.workflow.id} v${run.workflow.version}${earlier.length > 0 ? `, before ${earlier.join(', ')}` : ''}`,
    ],
    ['status', statusOf(run)],
    ['error', error === null ? null : `${error.code}: ${error.message}`],
    ['trigger', `${trigger.kind}${trigger.id === null ? '' : ` ${trigger.id}`}`],
    ['parent', parent === null ? null : `${parent.run.id}, node ${nodeName({ id: parent.nodeId, path: parent.path })}`],
    ['labels', labels.length > 0 ? labels.join(' ') : null],
    ['priority', String(run.priority)],
    ['started', run.startedAt],
    ['closed', run.closedAt === null ? null : `${run.closedAt}${took === '' ? '' : `, after ${took}`}`],
    ['input', shortJson(run.input)],
    ['output', run.output === null ? null : shortJson(run.output)],
    ['temporal', run.temporalUrl],
  ];
  return lines.filter((line): line is [string, string] => line[1] !== null);
}

const WIDTH = 200;

function shortJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}... (${text.length} characters)`;
}
