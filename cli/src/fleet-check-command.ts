import { readValidDefinition } from './definition-file.ts';
import { createGatewayClient } from './gateway-client.ts';
import { parseNodeMapping } from './node-mapping.ts';

export type FleetReport = {
  openTotal: number;
  openEnd: string | null;
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
const QUERY = `query ($workflowId: ID!, $definition: JSON!, $closed: Int, $mapping: JSON, $openAfter: String) {
  fleetCheck(workflowId: $workflowId, definition: $definition, closed: $closed, mapping: $mapping, openAfter: $openAfter) {
    openTotal openEnd openCounts { continues needMapping repeatEffects } closedCounts { same endDifferently incomparable }
    open { runId version verdict problems { message suggestions } repeats { nodeId again } }
    closed { runId version missing differences { what before after } } } }`;
const SHOWN = 20;

export type FleetCheckOptions = { closed: number; map: readonly string[]; json?: boolean; url: string };

/** `weft fleet-check`: 0 when every open run goes on and every closed one would end the same. */
export async function runFleetCheck(file: string, { closed, map, json, url }: FleetCheckOptions): Promise<number> {
  const definition = await readValidDefinition(file);
  const gateway = createGatewayClient(url);
  const request = { workflowId: definition.name, definition, mapping: parseNodeMapping(map) };
  const check = async (more: { closed: number; openAfter: string | null }) =>
    (await gateway<{ fleetCheck: FleetReport }>(QUERY, { ...request, ...more })).fleetCheck;
  let report = await check({ closed, openAfter: null });
  while (report.openEnd !== null) report = together(report, await check({ closed: 0, openAfter: report.openEnd }));
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${describeReport(report).join('\n')}\n`);
  return report.open.length + report.closed.length === 0 ? 0 : 1;
}

/** A report and that of the open runs after it. */
export function together(report: FleetReport, next: FleetReport): FleetReport {
  const { openCounts: before, closedCounts, closed } = report;
  return {
    ...next,
    openCounts: {
      continues: before.continues + next.openCounts.continues,
      needMapping: before.needMapping + next.openCounts.needMapping,
      repeatEffects: before.repeatEffects + next.openCounts.repeatEffects,
    },
    closedCounts,
    open: [...report.open, ...next.open],
    closed,
  };
}

export function describeReport({ openTotal, openCounts, closedCounts, open, closed }: FleetReport): string[] {
  const { continues, needMapping, repeatEffects } = openCounts;
  return [
    `Open runs    ${openTotal}`,
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
