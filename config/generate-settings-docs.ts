import { SETTINGS, type SettingName, type SettingRow } from './settings.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** `.env.example`: every setting, commented out at its default. */
export function renderEnvExample(): string {
  const blocks = NAMES.map((name) => {
    const row: SettingRow = SETTINGS[name];
    const details = [describeRange(row), row.secret ? 'Secret.' : ''].filter(Boolean).join(' ');
    return `# ${row.meaning}${details === '' ? '' : ` ${details}`}\n#${name}=${renderDefault(row)}\n`;
  });
  return `# Copy to .env; npm start and docker compose read it. Generated from config/settings.ts by npm run generate.\n\n${blocks.join('\n')}`;
}

/** `docs/settings.md`: the same as a table. */
export function renderSettingsTable(): string {
  const rows = NAMES.map((name) => {
    const row: SettingRow = SETTINGS[name];
    const value = renderDefault(row);
    const cells = [`\`${name}\``, row.kind, value === '' ? '' : `\`${value}\``, describe(row)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `# Settings

Environment variables, or lines of \`.env\`. Generated from \`config/settings.ts\` by \`npm run generate\`; do not edit.
A bad value stops the process at once, and all bad values are named together.

<!-- prettier-ignore -->
| name | kind | default | meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

function describe(row: SettingRow): string {
  return [row.meaning, describeRange(row), row.secret ? 'Secret.' : ''].filter(Boolean).join(' ');
}

function describeRange({ min, max, choices }: SettingRow): string {
  if (choices) return `One of ${choices.join(', ')}.`;
  return min === undefined || max === undefined ? '' : `${min} to ${max}.`;
}

function renderDefault(row: SettingRow): string {
  if (row.default === null) return '';
  return Array.isArray(row.default) ? row.default.join(',') : String(row.default);
}
