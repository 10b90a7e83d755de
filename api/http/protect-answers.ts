import type { Express } from 'express';
import helmet from 'helmet';
import { allowOrigins } from '../../adapters/express/allow-origins.ts';

/** Headers that keep browsers from making more of an answer than it is. Pages of ours bring their files along. */
export function protectAnswers(app: Express, origins: readonly string[]): void {
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'self'"],
          'style-src': ["'self'", "'unsafe-inline'"],
          'img-src': ["'self'", 'data:'],
          'base-uri': ["'none'"],
          'form-action': ["'self'"],
          'frame-ancestors': ["'none'"],
          'object-src': ["'none'"],
        },
      },
      crossOriginResourcePolicy: { policy: origins.length > 0 ? 'cross-origin' : 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    }),
  );
  app.use(allowOrigins(origins));
}
