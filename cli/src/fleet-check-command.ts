import { readValidDefinition } from './definition-file.ts';
import { createGatewayClient } from './gateway-client.ts';
import { parseNodeMapping } from './node-mapping.ts';

export type FleetReport = {
  openTotal: number;
  openCounts: { continues: number; needMapping: number; repeatEffects: number };
  closedCounts: { same: number; endDifferently: number; incomparable: number };
  open: {
    runId: string;
    version: number;
    verdict: string;
    problems: { message: string; suggestions: string[] }[];
    repeats: { nodeId: string; again: string[] }[];
  }[];
  closed: {
    runId: string;
    version: number;
    missing: string[];
    differences: { what: string; before: string | null; after: string | null }[];
  }[];
};
const QUERY = `query ($workflowId: ID!, $definition: JSON!, $closed: Int, $mapping: JSON) {
  fleetCheck(workflowId: $workflowId, definition: $definition, closed: $closed, mapping: $mapping) {
    openTotal openCounts { continues needMapping repeatEffects } closedCounts { same endDifferently incomparable }
    open { runId version verdict problems { message suggestions } repeats { nodeId again } }
    closed { runId version missing differences { what before after } } } }`;
const SHOWN = 20;

export type FleetCheckOptions = { closed: number; map: readonly string[]; json?: boolean; url: string };

/** `weft fleet-check`: 0 when every open run goes on and every closed one would end the same. */
export async function runFleetCheck(file: string, { closed, map, json, url }: FleetCheckOptions): Promise<number> {
  const definition = await readValidDefinition(file);
  const { fleetCheck: report } = await createGatewayClient(url)<{ fleetCheck: FleetReport }>(QUERY, {
    workflowId: definition.name,
    definition,
    closed,
    mapping: parseNodeMapping(map),
  });
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${describeReport(report).join('\n')}\n`);
  return report.open.length + report.closed.length === 0 ? 0 : 1;
}

export function describeReport({ openTotal, openCounts, closedCounts, open, closed }: FleetReport): string[] {
  const { continues, needMapping, repeatEffects } = openCounts;
  const looked = continues + needMapping + repeatEffects;
  return [
    `Open runs    ${openTotal}${looked < openTotal ? `, of which ${looked} were looked at` : ''}`,
    `  continue             ${continues}`,
    `  need a mapping       ${needMapping}`,
    `  would repeat effects ${repeatEffects}`,
    `Closed runs  ${closedCounts.same + closedCounts.endDifferently + closedCounts.incomparable}`,
    `  end the same         ${closedCounts.same}`,
    `  end differently      ${closedCounts.endDifferently}`,
    `  not comparable       ${closedCounts.incomparable}`,
    ...open
      .slice(0, SHOWN)
      .flatMap((run) => [
        `${run.runId} (version ${run.version}): ${run.verdict}`,
        ...run.problems.map(({ message, suggestions }) => `  ${message}${meant(suggestions)}`),
        ...run.repeats.map(({ nodeId, again }) => `  What ${nodeId} did would be done again by ${again.join(' or ')}`),
      ]),
    ...closed
      .slice(0, SHOWN)
      .flatMap((run) => [
        `${run.runId} (version ${run.version}): ENDS_DIFFERENTLY`,
        ...run.differences.map(({ what, before, after }) => `  ${what}: ${before ?? 'none'} -> ${after ?? 'none'}`),
        ...(run.missing.length > 0 ? [`  nothing is known of ${run.missing.join(', ')}`] : []),
      ]),
  ];
}

const meant = (suggestions: readonly string[]): string =>
  suggestions.length === 0 ? '' : `; perhaps ${suggestions.join(' or ')} is meant`;
