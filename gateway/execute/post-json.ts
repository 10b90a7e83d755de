import type { Dispatcher } from 'undici';

export type JsonPost = { path: string; headers: Record<string, string>; body: string; timeoutMs: number };
export type PostAnswer = { status: number; text: string; cacheControl: string | undefined };

/** Posts on the dispatcher's own events: streams and signals would cost more than the request. */
export function postJson(dispatcher: Dispatcher, { path, headers, body, timeoutMs }: JsonPost): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let cacheControl: string | undefined;
    let running: Dispatcher.DispatchController | undefined;
    const late = setTimeout(() => {
      const error = new DeadlineExceeded(timeoutMs);
      running?.abort(error);
      reject(error);
    }, timeoutMs);
    dispatcher.dispatch(
      { path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart(controller) {
          running = controller;
        },
        onResponseStart(_controller, statusCode, responseHeaders) {
          status = statusCode;
          const given = responseHeaders['cache-control'];
          cacheControl = Array.isArray(given) ? given.join(',') : given;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          clearTimeout(late);
          const text = (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString();
          resolve({ status, text, cacheControl });
        },
        onResponseError(_controller, error) {
          clearTimeout(late);
          reject(error);
        },
      },
    );
  });
}

export class DeadlineExceeded extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'DeadlineExceeded';
  }
}
