import type { SettingRow } from './settings.ts';

/** Settings of calls to the outside. */
export const TOOL_SETTINGS = {
  WEFT_HTTP_ALLOWED_HOSTS: {
    kind: 'list',
    default: [],
    meaning: 'Hosts, or host:port, that http nodes may call although they resolve to private addresses.',
  },
  WEFT_MCP_STDIO_COMMANDS: {
    kind: 'list',
    default: [],
    meaning:
      'Commands that MCP servers over stdio may be started by, such as npx; * is any. Whoever may register servers runs them.',
  },
} as const satisfies Record<string, SettingRow>;
