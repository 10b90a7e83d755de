/** What anybody would write first: Express, a pool, two statements, the answer. */
import express from 'express';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
const app = express();
async function statusOf(id: string): Promise<object | undefined> {
  const { rows: runs } = await pool.query<object>(
    `SELECT id, status, error, started_at AS "startedAt", closed_at AS "closedAt" FROM runs WHERE id = $1`,
    [id],
  );
  const { rows: nodes } = await pool.query<object>(
    `SELECT node_id AS id, type, status, iteration AS path, attempts, error, started_at AS "startedAt", closed_at AS "closedAt"
     FROM node_executions WHERE run_id = $1 ORDER BY ordinal`,
    [id],
  );
  return runs[0] && { ...runs[0], nodes };
}
app.get('/workflows/:id/status', (request, response, next) => {
  statusOf(request.params.id).then(
    (status) => void (status ? response.json(status) : response.status(404).json({ error: 'not found' })),
    next,
  );
});
const server = app.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ ready: true, port: typeof address === 'object' ? address?.port : 0 });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
