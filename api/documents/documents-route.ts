import { type Request, type Response, Router } from 'express';
import { findOperationDocument } from '../../adapters/postgres/operation-document-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Access } from '../access/open-access.ts';
import { sendProblem } from '../http/problem.ts';
import type { RunsDeps } from '../runs/deps.ts';

type Parts = {
  access: Pick<Access, 'behindGateway'>;
  /** That sees all tenants. */
  pool: RunsDeps['pool'];
  logInternal: (error: unknown) => void;
};

/** By which the gateway gets the text of a document, for whoever asks there. */
export function documentsRoute({ access, pool, logInternal }: Parts): Router {
  const answer = async (request: Request, response: Response): Promise<void> => {
    try {
      const { tenantId } = await access.behindGateway(request);
      const hash = String(request.params['hash']);
      const body = /^[0-9a-f]{64}$/.test(hash) ? await findOperationDocument(pool, tenantId, hash) : null;
      if (body === null) throw new AppError('NOT_FOUND', { what: 'document', id: hash });
      response.set('Cache-Control', 'no-store').json({ body });
    } catch (error) {
      sendProblem(response, error, logInternal);
    }
  };
  return Router().get('/internal/documents/:hash', (request, response) => void answer(request, response));
}
