export const REPOSITORY_ROOT = new URL('../', import.meta.url);
export const SUPERGRAPH_FILE = new URL('./supergraph.graphql', import.meta.url);
