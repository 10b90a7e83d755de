import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Breaker } from './resilience/breaker.ts';
import type { Bulkhead } from './resilience/bulkhead.ts';

type Watched = { breaker: Breaker; bulkhead: Bulkhead };
export type SubgraphMetrics = {
  durations: Histogram<'subgraph' | 'outcome'>;
  retries: Counter<'subgraph'>;
  breakerOpened: Counter<'subgraph'>;
  refused: Counter<'subgraph' | 'reason'>;
  /** Shows how a subgraph is doing from now on. */
  watch: (subgraph: string, watched: Watched) => void;
};

const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

export function createSubgraphMetrics(registry: Registry): SubgraphMetrics {
  const watched = new Map<string, Watched>();
  const gauge = (name: string, help: string, valueOf: (one: Watched) => number) =>
    new Gauge({
      ...{ name, help, labelNames: ['subgraph'], registers: [registry] },
      collect() {
        for (const [subgraph, one] of watched) this.set({ subgraph }, valueOf(one));
      },
    });
  gauge(
    'weft_gateway_breaker_state',
    'Of a subgraph: 0 closed, 1 trying, 2 open.',
    ({ breaker }) => STATES[breaker.state()],
  );
  gauge('weft_gateway_subgraph_running', 'Requests under way.', ({ bulkhead }) => bulkhead.running());
  gauge('weft_gateway_subgraph_waiting', 'Requests that wait for their turn.', ({ bulkhead }) => bulkhead.waiting());
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    watch: (subgraph, one) => void watched.set(subgraph, one),
    retries: counter('weft_gateway_subgraph_retries_total', 'Requests that were sent again.', ['subgraph']),
    breakerOpened: counter('weft_gateway_breaker_opened_total', 'How often a subgraph was left alone.', ['subgraph']),
    refused: counter('weft_gateway_subgraph_failures_total', 'Requests without an answer, by reason.', [
      'subgraph',
      'reason',
    ]),
    durations: new Histogram({
      name: 'weft_gateway_subgraph_duration_seconds',
      help: 'Requests from the gateway to a subgraph.',
      labelNames: ['subgraph', 'outcome'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    }),
  };
}
