import { AppError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { canonicalJson } from '../runs/canonical-json.ts';
import { checkTemplate } from '../runs/check-template.ts';
import { PROMPT_HELPERS, renderTemplate } from '../runs/template.ts';

export const VARIABLE_TYPES = ['string', 'number', 'boolean', 'array', 'object', 'any'] as const;
export type VariableType = (typeof VARIABLE_TYPES)[number];
export type PromptVariable = {
  type: VariableType;
  /** Default is true, unless there is a default. */
  required?: boolean;
  default?: Json;
  description?: string;
};
export type PromptVariables = { readonly [name: string]: PromptVariable };

/** What a version of a prompt consists of: Handlebars texts and the variables that they name. */
export type PromptContent = { template: string; system: string | null; variables: PromptVariables };
export type Prompt = PromptContent & {
  name: string;
  version: number;
  hash: string;
  description: string | null;
  createdBy: string | null;
  createdAt: Date;
};

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MOST_VARIABLES = 100;
const FIELDS: ReadonlySet<string> = new Set(['type', 'required', 'default', 'description']);

/** What its hash is taken of. */
export const promptText = ({ template, system, variables }: PromptContent): string =>
  canonicalJson({ template, system, variables });

/** As people compare versions of it. */
export const promptLines = ({ template, system, variables }: PromptContent): string =>
  [
    ...(system === null ? [] : ['system:', system]),
    'template:',
    template,
    'variables:',
    ...Object.entries(variables).map(([name, variable]) => `${name}: ${JSON.stringify(variable)}`),
  ].join('\n');

type Fault = { path: string; message: string };

/** @throws INPUT_INVALID with every bad path */
export function checkPrompt(name: string, content: PromptContent): void {
  const faults = [
    ...(NAME.test(name) ? [] : [fault('name', 'must be of a-z, 0-9, ".", "_" and "-", at most 63')]),
    ...variableFaults(content.variables),
    ...textFaults('template', content.template, content.variables),
    ...(content.system === null ? [] : textFaults('system', content.system, content.variables)),
  ];
  const [first] = faults;
  if (first) throw new AppError('INPUT_INVALID', { detail: `${first.path.slice(1)} ${first.message}`, paths: faults });
}

const fault = (path: string, message: string): Fault => ({ path: `/${path}`, message });

function variableFaults(variables: PromptVariables): Fault[] {
  const entries = Object.entries<unknown>(variables);
  if (entries.length > MOST_VARIABLES) return [fault('variables', `are more than ${MOST_VARIABLES}`)];
  return entries.flatMap(([name, variable]) => {
    const path = `variables/${name}`;
    if (!VARIABLE.test(name)) return [fault(path, 'needs a name of letters, digits and "_"')];
    if (!isJsonObject(variable)) return [fault(path, 'must be {type, required?, default?, description?}')];
    const unknown = Object.keys(variable).find((field) => !FIELDS.has(field));
    if (unknown !== undefined) return [fault(path, `has no field ${unknown}`)];
    const { type, default: value, required } = variable;
    if (!VARIABLE_TYPES.some((one) => one === type))
      return [fault(`${path}/type`, `must be ${VARIABLE_TYPES.join(', ')}`)];
    if (required !== undefined && typeof required !== 'boolean')
      return [fault(`${path}/required`, 'must be true or false')];
    const isFine = value === undefined || isOfType(value, type as VariableType);
    return isFine ? [] : [fault(`${path}/default`, `must be of type ${String(type)}`)];
  });
}

function textFaults(field: 'template' | 'system', text: string, variables: PromptVariables): Fault[] {
  if (text === '') return [fault(field, 'must not be empty')];
  if (text.includes('\0') || !text.isWellFormed()) return [fault(field, 'must be text, without NUL')];
  const { paths, problems } = checkTemplate(text, PROMPT_HELPERS);
  const undeclared = new Set(paths.map(([root = '']) => root).filter((root) => !Object.hasOwn(variables, root)));
  return [
    ...problems.map(({ message, line, column }) =>
      fault(field, line === null ? message : `line ${line}${column === null ? '' : `, column ${column}`}: ${message}`),
    ),
    ...[...undeclared].map((name) => fault(field, `reads ${name}, which is not among the variables`)),
  ];
}

/**
 * The texts of a prompt for these values; `now` is the moment that `{{now}}` gives.
 * @throws TEMPLATE_FAILED, for values that do not fit its variables too
 */
export function renderPrompt(
  { template, system, variables }: PromptContent,
  values: JsonObject,
  now: Date,
): { prompt: string; system: string | null } {
  const given = fitted(variables, values);
  return {
    prompt: renderTemplate(template, given, now),
    system: system === null ? null : renderTemplate(system, given, now),
  };
}

function fitted(variables: PromptVariables, values: JsonObject): JsonObject {
  const refuse = (detail: string) => new AppError('TEMPLATE_FAILED', { detail });
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(variables, name));
  if (unknown !== undefined) {
    const known = Object.keys(variables).join(', ') || 'none';
    throw refuse(`the prompt has no variable ${unknown}; there are ${known}`);
  }
  return Object.fromEntries(
    Object.entries(variables).map(([name, { type, required, default: standard }]) => {
      const value = values[name] ?? standard ?? null;
      const isNeeded = required ?? standard === undefined;
      if (value === null && isNeeded) throw refuse(`variable ${name} is missing`);
      if (value !== null && !isOfType(value, type)) throw refuse(`variable ${name} must be of type ${type}`);
      return [name, value];
    }),
  );
}

function isOfType(value: Json, type: VariableType): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    default:
      return typeof value === type;
  }
}
