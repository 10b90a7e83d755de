import { Histogram, type Registry } from 'prom-client';

export type SubgraphMetrics = { durations: Histogram<'subgraph' | 'outcome'> };

export function createSubgraphMetrics(registry: Registry): SubgraphMetrics {
  return {
    durations: new Histogram({
      name: 'weft_gateway_subgraph_duration_seconds',
      help: 'Requests from the gateway to a subgraph.',
      labelNames: ['subgraph', 'outcome'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [registry],
    }),
  };
}
