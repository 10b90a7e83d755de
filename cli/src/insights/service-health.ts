import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { HealthOptions } from '../insight-commands.ts';
import { duration, percent } from './figures.ts';

const FIGURES = 'calls failures errorRate meanMs p50Ms p95Ms p99Ms';
const HEALTH = `query ($kind: ServiceKind, $name: String, $from: DateTime, $to: DateTime) {
  serviceHealth(kind: $kind, name: $name, from: $from, to: $to) {
    kind name availability ${FIGURES} lastError { code at runId } hours { hour ${FIGURES} }
  }
}`;
type Figures = {
  calls: number;
  failures: number;
  errorRate: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
};
type Health = Figures & {
  kind: string;
  name: string;
  availability: number;
  lastError: { code: string; runId: string | null } | null;
  hours: (Figures & { hour: string })[];
};

export async function serviceHealth(options: HealthOptions & { url: string }): Promise<number> {
  const { serviceHealth: services } = await createGatewayClient(options.url)<{ serviceHealth: Health[] }>(HEALTH, {
    kind: options.kind,
    name: options.name,
    from: options.since,
    to: options.until,
  });
  if (options.json) printJson(services);
  else if (options.hours) {
    const rows = services.flatMap(({ kind, name, hours }) =>
      hours.map((one) => [kind.toLowerCase(), name, one.hour, ...cells(one)]),
    );
    printRows([['KIND', 'NAME', 'HOUR', ...HEADS], ...rows]);
  } else {
    const rows = services.map((one) => [
      ...[one.kind.toLowerCase(), one.name, ...cells(one), percent(one.availability)],
      one.lastError === null ? '' : [one.lastError.code, one.lastError.runId].filter(Boolean).join(' '),
    ]);
    printRows([['KIND', 'NAME', ...HEADS, 'AVAILABLE', 'LAST ERROR'], ...rows]);
  }
  return 0;
}

const HEADS = ['CALLS', 'ERRORS', 'P50', 'P95', 'P99'];
const cells = ({ calls, errorRate, p50Ms, p95Ms, p99Ms }: Figures): string[] => [
  String(calls),
  percent(errorRate),
  ...[p50Ms, p95Ms, p99Ms].map(duration),
];
