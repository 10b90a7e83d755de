import { SETTINGS, type SettingName, type SettingRow, type Settings } from './settings.ts';

/** Time is UTC everywhere: a text without an offset must mean the same on every machine, in expressions above all. */
process.env['TZ'] = 'UTC';

/** Lists every bad setting at once. */
export class SettingsInvalid extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Settings are not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SettingsInvalid';
    this.problems = problems;
  }
}

/** The only reader of the environment. Throws SettingsInvalid naming every bad value. */
export function loadSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const row: SettingRow = SETTINGS[name];
    const text = environment[name];
    if (text === undefined || text === '') {
      values[name] = row.default;
      continue;
    }
    const parsed = parseSetting(row, text);
    if (parsed instanceof Error) problems.push(`${name}: ${parsed.message}`);
    else values[name] = parsed;
  }
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return Object.freeze(values) as Settings;
}

function parseSetting(row: SettingRow, text: string): unknown {
  if (row.choices && !row.choices.includes(text)) return new Error(`must be one of ${row.choices.join(', ')}`);
  switch (row.kind) {
    case 'string':
      return text;
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean);
    case 'boolean':
      if (text === 'true' || text === '1') return true;
      if (text === 'false' || text === '0') return false;
      return new Error('must be true or false');
    case 'integer':
      return parseInteger(row, text);
    case 'weights':
      return parseWeights(row, text);
  }
}

function parseInteger(row: SettingRow, text: string): number | Error {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) return new Error(`must be a whole number, got ${JSON.stringify(text)}`);
  return inRange(row, value);
}

/** `name=number,name=number` */
function parseWeights(row: SettingRow, text: string): Readonly<Record<string, number>> | Error {
  const weights = new Map<string, number>();
  for (const item of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name, digits] = /^\s*([^=\s]+)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(item) ?? [];
    if (name === undefined) return new Error(`must be name=number,name=number, got ${JSON.stringify(item)}`);
    if (weights.has(name)) return new Error(`names ${name} twice`);
    const weight = inRange(row, Number(digits));
    if (weight instanceof Error) return new Error(`${name} ${weight.message}`);
    weights.set(name, weight);
  }
  return Object.freeze(Object.fromEntries(weights));
}

function inRange(row: SettingRow, value: number): number | Error {
  if (row.min !== undefined && value < row.min) return new Error(`must be at least ${row.min}`);
  if (row.max !== undefined && value > row.max) return new Error(`must be at most ${row.max}`);
  return value;
}

/** The environment of a child process: ours, with some settings replaced. */
export function environmentWith(
  changes: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return { ...environment, ...changes };
}
