import { ownRunFile } from './access/own-run-file.ts';

/** Where the graph of the server here is: that of a running `weft start` in this folder, else the default. */
export function graphqlUrl(): string {
  return ownRunFile()?.graphqlUrl ?? 'http://127.0.0.1:4000/graphql';
}
