import { writeFileSync } from 'node:fs';
import { declarePermissions } from '../adapters/graphql/declare-permissions.ts';
import { composeSupergraph } from './compose-supergraph.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { REPOSITORY_ROOT, SUPERGRAPH_FILE } from './supergraph-file.ts';

writeFileSync(SUPERGRAPH_FILE, composeSupergraph(SUBGRAPHS, REPOSITORY_ROOT, declarePermissions));
