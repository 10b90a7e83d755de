import type { SettingRow } from './settings.ts';

/** Who gets in, and how often. */
export const ACCESS_SETTINGS = {
  WEFT_AUTH: {
    kind: 'string',
    default: 'required',
    choices: ['required', 'off'],
    meaning:
      'Whether callers of the API and the gateway have to sign in. `off` makes everybody the operator and is allowed on loopback addresses alone; `required` needs WEFT_SECRET_KEY, which `npm start` makes.',
  },
  WEFT_OPERATOR_TOKEN: {
    kind: 'string',
    default: null,
    meaning:
      'Token of 32 characters or more that opens everything, for whoever runs the servers. `npm start` makes one for each start in the data folder, which `weft` reads.',
    secret: true,
  },
  WEFT_TOKEN: {
    kind: 'string',
    default: null,
    meaning:
      'Access token or API key that `weft` shows. Unset: that of `weft login`, or the operator token of the `npm start` in this folder.',
    secret: true,
  },
  XDG_CONFIG_HOME: {
    kind: 'string',
    default: null,
    meaning: 'Folder whose `weft` sub-folder keeps what `weft login` got. Unset: ~/.config.',
  },
  RATE_LIMIT_PER_MINUTE: {
    kind: 'integer',
    default: 60,
    min: 1,
    max: 1000000,
    meaning: 'Operations a minute of one key, user or address where callers have to sign in; costly ones count more.',
  },
  RATE_LIMIT_BURST: {
    kind: 'integer',
    default: 10,
    min: 1,
    max: 1000000,
    meaning: 'How many of them may come at once.',
  },
  WEFT_CORS_ORIGINS: {
    kind: 'list',
    default: [],
    meaning: 'Origins of web pages that may use the API, such as https://app.example.org.',
  },
  WEFT_OIDC_ISSUER: {
    kind: 'string',
    default: null,
    meaning: 'OpenID provider that people may sign in with, at /login/oidc of the API.',
  },
  WEFT_OIDC_CLIENT_ID: { kind: 'string', default: null, meaning: 'Our id there.' },
  WEFT_OIDC_CLIENT_SECRET: { kind: 'string', default: null, meaning: 'And our secret.', secret: true },
  WEFT_OIDC_SCOPES: { kind: 'string', default: 'openid profile email', meaning: 'What is asked of it.' },
  WEFT_OIDC_TENANT: { kind: 'string', default: 'default', meaning: 'Tenant of whoever signs in there.' },
  WEFT_OIDC_ROLES_CLAIM: {
    kind: 'string',
    default: 'roles',
    meaning: 'Claim of the ID token that names roles: admin, developer, operator, analyst, viewer, service.',
  },
  WEFT_OIDC_DEFAULT_ROLES: {
    kind: 'list',
    default: [],
    meaning: 'Roles of whoever has no such claim. Unset: they do not get in.',
  },
  WEFT_TOKEN_ISSUER: { kind: 'string', default: 'weft', meaning: '`iss` of the access tokens.' },
  WEFT_ACCESS_TOKEN_SECONDS: {
    kind: 'integer',
    default: 600,
    min: 30,
    max: 86400,
    meaning: 'How long an access token is valid.',
  },
  WEFT_REFRESH_TOKEN_DAYS: {
    kind: 'integer',
    default: 30,
    min: 1,
    max: 365,
    meaning: 'How long after signing in a session may be refreshed.',
  },
  WEFT_API_KEY_DAYS: {
    kind: 'integer',
    default: 90,
    min: 1,
    max: 365,
    meaning: 'How long a key is valid that is made without a term.',
  },
} as const satisfies Record<string, SettingRow>;
