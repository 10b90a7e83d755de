import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type Router } from 'express';

const PATH = '/swagger-ui';
/** The page's own script; the one of the package shows somebody else's API. */
const START = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: 'StandaloneLayout',
  });
};
`;

/** Swagger UI over /openapi.json; every file of it comes from this process. */
export function swaggerUi(): Router {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = express.Router();
  router.get(`${PATH}/swagger-initializer.js`, (_request, response) => void response.type('js').send(START));
  router.use(PATH, express.static(folder, { index: 'index.html', maxAge: '1h' }));
  return router;
}
