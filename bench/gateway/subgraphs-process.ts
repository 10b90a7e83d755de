import { serveSubgraphs } from './subgraphs.ts';

process.send?.({ port: await serveSubgraphs() });
process.on('disconnect', () => process.exit(0));
