import { type Explanation, explainDefinition, formatDuration, type NodeForecast } from '../../sdk/src/index.ts';
import { aligned } from './aligned.ts';
import { readValidDefinition, readValueFile } from './definition-file.ts';

export type ExplainOptions = { input?: string; json?: boolean };

/** `weft explain`: what a workflow costs at worst, and where its nodes run. */
export async function runExplain(file: string, { input, json }: ExplainOptions): Promise<number> {
  const definition = await readValidDefinition(file);
  const explanation = explainDefinition(definition, input === undefined ? undefined : readValueFile(input));
  process.stdout.write(json ? `${JSON.stringify(explanation)}\n` : `${describe(explanation).join('\n')}\n`);
  return 0;
}

function describe({ workflow, nodes, atMost, continuesAsNew, remarks }: Explanation): string[] {
  const rows = nodes.map(describeNode);
  const table = aligned([HEAD, ...rows]);
  const children = atMost.childEvents > 0 ? `, and ${count(atMost.childEvents)} in child runs` : '';
  const histories =
    continuesAsNew.histories > 1
      ? `, in ${count(continuesAsNew.histories)} histories of ${count(continuesAsNew.afterEvents)}`
      : '';
  const fused = nodes.filter(({ fusion }) => fusion !== null).map(describeFusion);
  return [
    `${workflow}: at most`,
    `  history   ${count(atMost.events)} events${histories}${children}`,
    `  actions   ${count(atMost.actions)}`,
    `  payloads  ${count(atMost.payloads)}, ${count(Math.ceil(atMost.payloadBytes / 1024))} KiB`,
    `  duration  ${atMost.durationMs === null ? 'no bound' : formatDuration(atMost.durationMs)}`,
    `  models    ${count(atMost.modelCalls)} calls, ${atMost.tokens === null ? 'tokens without bound' : `${count(atMost.tokens)} tokens`}`,
    '',
    table,
    ...(fused.length > 0 ? ['', 'Fusion:', ...fused] : []),
    ...(remarks.length > 0 ? ['', ...remarks.map((remark) => `! ${remark}`)] : []),
  ];
}

const HEAD = ['node', 'runs', 'times', 'events', 'longest'];

function describeNode({ nodeId, type, runs, queue, executions, cost }: NodeForecast): string[] {
  return [
    `${nodeId} (${type})`,
    queue === null ? runs : `${runs} on ${queue}`,
    `${count(executions.count)}${executions.known ? '' : '?'}`,
    count(cost.events),
    cost.durationMs === null ? 'no bound' : formatDuration(cost.durationMs),
  ];
}

function describeFusion({ nodeId, fusion }: NodeForecast): string {
  if (fusion?.fused !== true) return `  ${nodeId} runs by itself: ${fusion?.why ?? ''}`;
  return `  ${nodeId} is one of ${fusion.group.join(', ')}`;
}

const count = (value: number): string => value.toLocaleString('en-US');
