const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT']);
/** Connection exceptions, too many connections, and a server that starts or stops. */
const SQLSTATE = /^(08...|53300|57P0[1-3])$/;
/** What `pg` throws without a code. */
const TEXTS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether a query failed because Postgres did not answer, not because of what was asked. */
export function isDatabaseUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'string' ? NETWORK.has(code) || SQLSTATE.test(code) : TEXTS.test(error.message);
}
