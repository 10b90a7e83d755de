export type SchemaPlace = { subgraph: string | null; line: number; column: number };

/** Why subgraphs do not make a graph. */
export type SchemaProblem = {
  /** Of Apollo's composition where that says it. */
  code: string;
  message: string;
  places: SchemaPlace[];
};

export const placeless = (code: string, message: string): SchemaProblem => ({ code, message, places: [] });
