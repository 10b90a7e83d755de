import { printJson, printRows } from '../flow/print-rows.ts';
import { statusOf } from '../flow/run-view.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { ShowOptions } from '../operate-commands.ts';
import { describeRun, nodeName, nodeRemark, type NodeView, readRunDetail, tookOf } from './run-detail.ts';

export async function showRun(id: string, { url, json, nodes }: ShowOptions): Promise<number> {
  // One more than is shown tells whether there are more.
  const run = await readRunDetail(createGatewayClient(url), id, Math.min(nodes + 1, 10_000));
  const shown = run.nodes.slice(0, nodes);
  if (json) {
    printJson({ ...run, nodes: shown });
    return 0;
  }
  printRows(describeRun(run));
  for (const { code, message, hint } of run.warnings) {
    process.stdout.write(`\nwarning ${code}: ${message}\n  hint: ${hint}\n`);
  }
  if (shown.length > 0) {
    process.stdout.write('\n');
    printRows([['NODE', 'TYPE', 'STATUS', 'ATTEMPTS', 'TOOK', ''], ...shown.map(nodeLine)]);
    if (run.nodes.length > shown.length) process.stdout.write(`and more: --nodes ${Math.max(nodes, 1) * 10}\n`);
  }
  const children = run.children.edges.map(({ node }) => node);
  if (children.length > 0) {
    process.stdout.write('\n');
    const rows = children.map((child) => [
      child.id,
      nodeName({ id: child.parent.nodeId, path: child.parent.path }),
      `${child.workflow.id} v${child.workflow.version}`,
      statusOf(child),
      tookOf(child),
    ]);
    printRows([['CHILD', 'NODE', 'WORKFLOW', 'STATUS', 'TOOK'], ...rows]);
    if (run.children.totalCount > children.length) process.stdout.write(`${run.children.totalCount} in all\n`);
  }
  return 0;
}

const nodeLine = (node: NodeView): string[] => [
  nodeName(node),
  node.type,
  node.status,
  node.attempts === 0 ? '' : String(node.attempts),
  tookOf(node),
  nodeRemark(node),
];
