/** Bounds of a definition (contracts of the system being re-created, "validation limits") and of one evaluation. */
export const LIMITS = {
  nodes: 1000,
  edges: 5000,
  /** Longest path, in nodes. */
  depth: 100,
  /** Targets of one port. */
  fanOut: 50,
  nameLength: 255,
  nodeIdLength: 100,
  definitionBytes: 4_000_000,
  retryAttempts: 100,
  timeoutMs: 365 * 24 * 3_600_000,
  expressionLength: 10_000,
  expressionNodes: 2_000,
  expressionDepth: 50,
  comprehensionNesting: 3,
  /** Comprehension steps in one evaluation; about 0.1 s of work. */
  evaluationSteps: 100_000,
  templateLength: 100_000,
  templateDepth: 10,
  renderedLength: 4_000_000,
} as const;
