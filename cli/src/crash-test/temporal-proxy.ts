import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A call of the worker to Temporal, by the name of its method. */
export type WorkerCall = { method: string };
/** `task`: the answer of a poll brings work. */
export type AnsweredCall = WorkerCall & { task: boolean };

export type ProxyHooks = {
  /** Settles when the worker may ask for work. */
  beforePoll: () => Promise<void>;
  /** A report of the worker has come and Temporal does not know of it yet. False: it never will. */
  beforeReport: (call: WorkerCall) => Promise<boolean>;
  /** Temporal has answered a report or given out a task, and the worker does not know of it yet. False: it never will. */
  afterAnswer: (call: AnsweredCall) => Promise<boolean>;
};

export type TemporalProxy = {
  address: string;
  /** Cuts every connection through it. */
  cut: () => void;
  close: () => Promise<void>;
};

const { HTTP2_HEADER_PATH, HTTP2_HEADER_METHOD, HTTP2_HEADER_STATUS, NGHTTP2_CANCEL } = constants;
const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';
/** What changes a run; one at a time goes through, so that what has happened when it is cut is known. */
const REPORT = /^Respond(WorkflowTask|ActivityTask)/;
const POLL = /^Poll(Workflow|Activity)TaskQueue$/;
/** The first field of an answer to a poll that brings a task is its token. */
const TASK_TOKEN_TAG = 0x0a;
const FRAME_HEADER_BYTES = 5;

/** Stands between a worker and Temporal and understands gRPC as far as to know which call is which. */
export async function startTemporalProxy(target: string, hooks: ProxyHooks): Promise<TemporalProxy> {
  const server = createServer();
  const sessions = new Set<{ destroy: () => void }>();
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  server.on('session', (session) => {
    const upstream = connect(`http://${target}`);
    for (const one of [session, upstream]) {
      sessions.add(one);
      one.on('error', () => undefined).on('close', () => sessions.delete(one));
    }
    session.on('close', () => upstream.destroy());
    upstream.on('close', () => session.destroy());
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      void forward(upstream, stream, headers, hooks, inTurn).catch(() => {
        if (!stream.destroyed) stream.close(NGHTTP2_CANCEL);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const session of sessions) session.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

async function forward(
  upstream: ClientHttp2Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  hooks: ProxyHooks,
  inTurn: InTurn,
): Promise<void> {
  const path = String(headers[HTTP2_HEADER_PATH]);
  const method = path.startsWith(SERVICE) ? path.slice(SERVICE.length) : path;
  const request = await collect(stream);
  if (REPORT.test(method)) {
    await inTurn(async () => {
      if (!(await hooks.beforeReport({ method }))) return;
      const answer = await exchange(upstream, stream, headers, request);
      if (await hooks.afterAnswer({ method, task: false })) deliver(stream, answer);
    });
    return;
  }
  if (POLL.test(method)) await hooks.beforePoll();
  const answer = await exchange(upstream, stream, headers, request);
  if (POLL.test(method) && bringsTask(answer.body)) {
    if (!(await inTurn(() => hooks.afterAnswer({ method, task: true })))) return;
  }
  deliver(stream, answer);
}

type Answer = { headers: IncomingHttpHeaders; body: Buffer; trailers: IncomingHttpHeaders | null };

/** One unary call; given up when the worker gives it up. */
async function exchange(
  upstream: ClientHttp2Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  request: Buffer,
): Promise<Answer> {
  const call = upstream.request({ ...headers, [HTTP2_HEADER_METHOD]: 'POST' });
  const giveUp = () => call.close(NGHTTP2_CANCEL);
  stream.once('close', giveUp);
  try {
    let trailers: IncomingHttpHeaders | null = null;
    call.on('trailers', (received: IncomingHttpHeaders) => (trailers = received));
    call.end(request);
    const [responseHeaders] = (await once(call, 'response')) as [IncomingHttpHeaders];
    return { headers: responseHeaders, body: await collect(call), trailers };
  } finally {
    stream.off('close', giveUp);
  }
}

function deliver(stream: ServerHttp2Stream, { headers, body, trailers }: Answer): void {
  if (stream.destroyed || stream.closed) return;
  const { [HTTP2_HEADER_STATUS]: status, ...rest } = headers;
  stream.respond(
    { ...rest, [HTTP2_HEADER_STATUS]: Number(status) },
    trailers === null ? {} : { waitForTrailers: true },
  );
  if (trailers !== null) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function bringsTask(body: Buffer): boolean {
  if (body.length <= FRAME_HEADER_BYTES) return false;
  const message = body.subarray(FRAME_HEADER_BYTES);
  return (body[0] === 1 ? gunzipSync(message) : message)[0] === TASK_TOKEN_TAG;
}
