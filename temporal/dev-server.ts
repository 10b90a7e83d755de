import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import {
  LABELS_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  TENANT_ATTRIBUTE,
  VERSION_ATTRIBUTE,
  WORKFLOW_ATTRIBUTE,
} from './search-attributes.ts';
import { AppError } from '../domain/errors.ts';

export type ServerProcess = {
  pid: number;
  exited: Promise<{ code: number | null }>;
  stop: (graceMs?: number) => Promise<void>;
};

export type TemporalDevServer = ServerProcess & {
  address: string;
  uiUrl: string;
};

export type TemporalDevServerOptions = {
  binary: string;
  /** Runs continue from this file after a restart; null keeps them in memory. */
  dbFile: string | null;
  /** Free ports of the loopback interface. */
  port: number;
  uiPort: number;
  namespace: string;
  /** Where Web UI has payloads decoded. */
  codecEndpoint?: string | null;
  log: (line: string) => void;
  /** Starts the program so that it ends with us. */
  spawn: (
    command: string,
    args: readonly string[],
    options: { stopSignal: 'SIGTERM'; onLine: (line: string) => void },
  ) => ServerProcess;
};

/** Given at launch they are there from the first request on; later ones take seconds to be known. */
const SEARCH_ATTRIBUTE_KEYS = [
  TENANT_ATTRIBUTE,
  WORKFLOW_ATTRIBUTE,
  VERSION_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  LABELS_ATTRIBUTE,
];
const FLAG_TYPES = { KEYWORD: 'Keyword', INT: 'Int', KEYWORD_LIST: 'KeywordList' } as const;

/**
 * The dev server polls its queues 20 times a second by default, which costs a sequential run 100 ms a step; and its limits on
 * requests and long polls are those of one small tenant.
 */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxTimeShift': '20ms',
  'history.visibilityProcessorMaxPollRPS': 500,
  'frontend.rps': 100_000,
  'frontend.namespaceRPS': 100_000,
  'frontend.namespaceRPS.visibility': 200,
  'frontend.namespaceCount': 20_000,
  'frontend.persistenceMaxQPS': 100_000,
  'history.persistenceMaxQPS': 100_000,
  'matching.rps': 100_000,
  'matching.enableFairness': true,
} as const;

/** A write-ahead log survives the death of the process as the default does, and takes a sixth off every step. */
const SQLITE_PRAGMAS = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'];

/** `temporal server start-dev` with Web UI, on the loopback interface alone. Resolves once the namespace answers. */
export async function startTemporalDevServer(options: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const address = `127.0.0.1:${options.port}`;
  const recent: string[] = [];
  const server = options.spawn(options.binary, serverArguments(options), {
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      options.log(line);
      recent.push(line);
      if (recent.length > 3) recent.shift();
    },
  });
  const gone = new AbortController();
  void server.exited.then(() => gone.abort());
  if (!(await namespaceAnswers(address, options.namespace, gone.signal))) {
    await server.stop();
    throw new AppError('SETUP_INCOMPLETE', { detail: `Temporal did not start: ${recent.join(' / ')}` });
  }
  const { pid, exited } = server;
  return { address, uiUrl: `http://127.0.0.1:${options.uiPort}`, pid, exited, stop: (graceMs) => server.stop(graceMs) };
}

function serverArguments(options: TemporalDevServerOptions): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
    ...['--ui-ip', '127.0.0.1', '--ui-port', String(options.uiPort), '--namespace', options.namespace],
    ...['--log-format', 'json', '--log-level', 'warn', '--disable-config-file', '--disable-config-env'],
    ...(options.codecEndpoint ? ['--ui-codec-endpoint', options.codecEndpoint] : []),
    ...(options.dbFile === null ? [] : ['--db-filename', options.dbFile, ...SQLITE_PRAGMAS]),
    ...SEARCH_ATTRIBUTE_KEYS.flatMap(({ name, type }) => ['--search-attribute', `${name}=${FLAG_TYPES[type]}`]),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

async function namespaceAnswers(address: string, namespace: string, gone: AbortSignal): Promise<boolean> {
  const connection = Connection.lazy({ address });
  const until = performance.now() + 30_000;
  try {
    while (!gone.aborted && performance.now() < until) {
      try {
        await connection.withDeadline(Date.now() + 1_000, () =>
          connection.workflowService.describeNamespace({ namespace }),
        );
        return true;
      } catch {
        await sleep(50);
      }
    }
    return false;
  } finally {
    await connection.close();
  }
}
