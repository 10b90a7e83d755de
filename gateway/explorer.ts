import { Router } from 'express';
import { ruruHTML, type RuruClientConfig } from 'ruru/server';
import { serveStatic } from 'ruru/static';

const STATIC_PATH = '/explorer/';
const SAMPLE_QUERY = `query LatestRuns {
  runs(first: 5) {
    totalCount
    edges { node { id status workflow { id version } nodes { id type status } temporalUrl } }
  }
}
`;

/** Takes a token from the fragment of the address, where no server and no log sees it, into the headers of this tab. */
const TOKEN_SCRIPT = `
<script>
const given = /[#&]token=([\\w.-]+)/.exec(location.hash);
if (given) {
  sessionStorage.setItem('weft:token', given[1]);
  history.replaceState(null, '', location.pathname + location.search);
}
const token = sessionStorage.getItem('weft:token');
if (token) {
  const headers = JSON.stringify({ Authorization: 'Bearer ' + token });
  Object.assign(RURU_CONFIG, { initialHeaders: headers, defaultHeaders: headers });
}
</script>`;

/** The GraphiQL page at GET `path` for browsers; every file of it comes from this process. */
export function explorer(path: string): Router {
  const page = ruruHTML({
    endpoint: path,
    staticPath: STATIC_PATH,
    htmlParts: { titleTag: '<title>Weft GraphQL</title>', configScript: (script) => script + TOKEN_SCRIPT },
    clientConfig: { defaultQuery: SAMPLE_QUERY, isHeadersEditorEnabled: true } as RuruClientConfig,
  });
  const router = Router();
  router.use(serveStatic(STATIC_PATH));
  router.get('/', (_request, response) => response.redirect(path));
  router.get(path, (request, response, next) => {
    if (request.query['query'] !== undefined || request.accepts(['json', 'html']) !== 'html') return next();
    response.type('html').send(page);
  });
  return router;
}
