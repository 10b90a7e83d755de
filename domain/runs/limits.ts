/** Bounds of a definition (contracts of the system being re-created, "validation limits") and of one evaluation. */
export const LIMITS = {
  nodes: 1000,
  edges: 5000,
  /** Longest path, in nodes. */
  depth: 100,
  /** Targets of one port. */
  fanOut: 50,
  /** Containers within containers. */
  nesting: 5,
  mapItems: 10_000,
  /** Items of a map that run inside the run itself; more run as child runs. */
  inlineMapItems: 50,
  mapConcurrency: 1_000,
  /** Child runs of one map at a time. */
  mapWindow: 10,
  /** Runs within runs within runs. */
  subworkflowDepth: 10,
  /** Published versions that one definition reaches through its subworkflows. */
  subworkflows: 100,
  /** Runs that one fleet check looks at, open or closed. */
  fleetRuns: 1_000,
  loopIterations: 1_000_000,
  /** Nodes settled by one event; the rest follows after a yield, so that no workflow task takes long. */
  stepsPerEvent: 2_000,
  /** Received events that no node waits for yet. */
  inbox: 1_000,
  variables: 100,
  nameLength: 255,
  nodeIdLength: 100,
  definitionBytes: 4_000_000,
  /** Nesting of its JSON. */
  definitionDepth: 100,
  retryAttempts: 100,
  timeoutMs: 365 * 24 * 3_600_000,
  expressionLength: 10_000,
  expressionNodes: 2_000,
  expressionDepth: 100,
  comprehensionNesting: 3,
  /** Steps of one evaluation, about a microsecond each: iterations of comprehensions, or some hundred characters handled. */
  evaluationSteps: 100_000,
  /** Longest text that can be searched for, or parsed as a duration. */
  soughtLength: 256,
  /** Largest value in an expression, in characters of JSON; more than any response or payload may have. */
  valueLength: 32_000_000,
  /** Parsed expressions and templates are kept up to this length of their texts together. */
  cachedCharacters: 300_000,
  templateLength: 100_000,
  templateDepth: 10,
  templateTags: 2_000,
  renderedLength: 4_000_000,
} as const;
