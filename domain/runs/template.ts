import HandlebarsModule from 'handlebars';
import { AppError } from '../errors.ts';
import { boundedCache } from './bounded-cache.ts';
import { formatDate } from './format-date.ts';
import { LIMITS } from './limits.ts';
import { PRINT, print, printStrictly } from './print-strictly.ts';
import { openTemplateBudget, spendOn, spendSteps } from './template-budget.ts';

type Handlebars = typeof HandlebarsModule;
/** Node resolves the package's main, the workflow bundler its browser build; only `default` is the same object in both. */
export const handlebars: Handlebars =
  (HandlebarsModule as unknown as { default?: Handlebars }).default ?? HandlebarsModule;

const environment = handlebars.create();
environment.unregisterHelper('log');
const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
const TEMPLATE_HELPERS: Readonly<Record<string, (...values: never[]) => unknown>> = {
  json: (value: unknown) => JSON.stringify(value, null, 2),
  uppercase: (value: unknown) => text(value).toUpperCase(),
  lowercase: (value: unknown) => text(value).toLowerCase(),
  capitalize: (value: unknown) => text(value).charAt(0).toUpperCase() + text(value).slice(1),
  eq: (left: unknown, right: unknown) => left === right,
  ne: (left: unknown, right: unknown) => left !== right,
  gt: (left: number, right: number) => left > right,
  lt: (left: number, right: number) => left < right,
  len: (value: string | unknown[] | null | undefined) => value?.length ?? 0,
  contains: (value: string | unknown[], part: unknown) => value.includes(part as string),
  join: (value: unknown[], separator: unknown) => value.join(typeof separator === 'string' ? separator : ', '),
  encode: (value: unknown) => encodeURIComponent(text(value)),
  fixed: (value: number, digits: unknown) => value.toFixed(typeof digits === 'number' ? digits : 0),
  add: (left: number, right: number) => left + right,
};
let moment = new Date(0);
/** What depends on when it is rendered is for prompts alone: templates of workflows give the same text in every replay. */
const PROMPT_ONLY_HELPERS: Readonly<Record<string, (...values: never[]) => unknown>> = {
  now: () => moment.toISOString(),
  format_date: (value: unknown, format: unknown) => formatDate(value, typeof format === 'string' ? format : '%F'),
};
const BUILT_IN_HELPERS = ['if', 'unless', 'each', 'with', 'lookup'];

registerHelpers();

function registerHelpers(): void {
  const builtIn = Object.fromEntries(BUILT_IN_HELPERS.map((name) => [name, environment.helpers[name]]));
  const helpers = { ...TEMPLATE_HELPERS, ...PROMPT_ONLY_HELPERS, ...builtIn, [PRINT]: print } as Record<string, Helper>;
  for (const [name, helper] of Object.entries(helpers)) {
    environment.registerHelper(name, function (this: unknown, ...values: unknown[]) {
      const result = helper.apply(this, name === 'each' ? countedEach(values) : values);
      spendOn(...values, result);
      return result;
    });
  }
}
type Helper = (this: unknown, ...values: unknown[]) => unknown;
type BlockOptions = { fn: (...values: unknown[]) => string };

function countedEach(values: readonly unknown[]): unknown[] {
  const options = values.at(-1) as BlockOptions;
  const counted = (...inner: unknown[]) => {
    spendSteps(1);
    return options.fn(...inner);
  };
  return [...values.slice(0, -1), { ...options, fn: Object.assign(counted, options.fn) }];
}

export const KNOWN_HELPERS: ReadonlySet<string> = new Set([...Object.keys(TEMPLATE_HELPERS), ...BUILT_IN_HELPERS]);
/** Those of published prompts. */
export const PROMPT_HELPERS: ReadonlySet<string> = new Set([...KNOWN_HELPERS, ...Object.keys(PROMPT_ONLY_HELPERS)]);

/**
 * Renders a Handlebars template: strict (an unknown name is an error), no HTML escaping, helpers of TEMPLATE_HELPERS only.
 * With `now` it is the template of a prompt, and has its helpers.
 * @throws AppError TEMPLATE_FAILED
 */
export function renderTemplate(template: string, context: object, now?: Date): string {
  openTemplateBudget();
  moment = now ?? new Date(0);
  try {
    const rendered = (now === undefined ? compile : compilePrompt)(template)(context, NO_PROTOTYPES);
    if (rendered.length > LIMITS.renderedLength) {
      throw new AppError('TEMPLATE_FAILED', { detail: `the result exceeds ${LIMITS.renderedLength} characters` });
    }
    return rendered;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('TEMPLATE_FAILED', { detail: firstLine(error) }, error);
  }
}

/** Said outright, for Handlebars would log each refusal otherwise. */
const NO_PROTOTYPES = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };

const compile = compilerWith(KNOWN_HELPERS);
const compilePrompt = compilerWith(PROMPT_HELPERS);

function compilerWith(helpers: ReadonlySet<string>) {
  return boundedCache(LIMITS.cachedCharacters, (template) => {
    const program = environment.parse(template);
    printStrictly(program, helpers);
    return environment.compile(program, {
      strict: true,
      noEscape: true,
      knownHelpersOnly: true,
      knownHelpers: Object.fromEntries([...helpers, PRINT].map((name) => [name, true])),
    });
  });
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}
