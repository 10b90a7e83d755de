/** Of the graph that gateways serve, and of how services come and go. */
export const REGISTRY_SETTINGS = {
  WORKFLOW_API_URL: {
    kind: 'string',
    default: 'http://127.0.0.1:8080/graphql',
    meaning: 'Where the gateway finds the runs subgraph.',
  },
  WEFT_SUPERGRAPH_FILE: {
    kind: 'string',
    default: null,
    meaning:
      'Where a gateway writes down the last graph that it took from the registry, to start with when Postgres is down. Unset: supergraph.json in WEFT_DATA_DIR.',
  },
  WEFT_SUBGRAPH_URL: {
    kind: 'string',
    default: null,
    meaning:
      'Where gateways reach this subgraph, such as the address of its balancer. Unset: its own, unless WEFT_HOST stands for all addresses; then nothing is said, and the gateway takes its settings.',
  },
  WEFT_SCHEMA_AT_START: {
    kind: 'string',
    default: 'publish',
    choices: ['publish', 'keep'],
    meaning:
      'Once schemas have been published: whether a subgraph that starts with one that nobody has seen before publishes it, or leaves that to `weft schema publish`.',
  },
  WEFT_DRAIN_MS: {
    kind: 'integer',
    default: 0,
    min: 0,
    max: 600_000,
    meaning:
      'How long the API and the gateway go on answering after SIGTERM while `/readyz` says 503, so that balancers look elsewhere first.',
  },
} as const;
