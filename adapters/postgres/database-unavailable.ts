const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT']);
/** Connection exceptions, too many connections, and a server that starts or stops. */
const SQLSTATE = /^(08...|53300|57P0[1-3])$/;
/** What `pg` throws without a code. */
const TEXTS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether a query failed because Postgres did not answer, not because of what was asked. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return NETWORK.has(code) || SQLSTATE.test(code);
  return code === undefined && typeof message === 'string' && TEXTS.test(message);
}
