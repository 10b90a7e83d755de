import HandlebarsModule from 'handlebars';
import { AppError } from '../errors.ts';
import { LIMITS } from './limits.ts';

type Handlebars = typeof HandlebarsModule;
/** Node resolves the package's main, the workflow bundler its browser build; only `default` is the same object in both. */
export const handlebars: Handlebars =
  (HandlebarsModule as unknown as { default?: Handlebars }).default ?? HandlebarsModule;

const environment = handlebars.create();
environment.unregisterHelper('log');
const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));
const TEMPLATE_HELPERS = {
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
} as const;
for (const [name, helper] of Object.entries(TEMPLATE_HELPERS)) {
  environment.registerHelper(name, helper as HandlebarsModule.HelperDelegate);
}

type EachOptions = { fn: (...values: unknown[]) => string };
let stepsLeft = 0;
const builtInEach = environment.helpers['each'] as (...values: unknown[]) => string;
environment.registerHelper('each', function (this: unknown, list: unknown, options: EachOptions) {
  const counted = (...values: unknown[]) => {
    stepsLeft -= 1;
    if (stepsLeft < 0) {
      throw new AppError('TEMPLATE_FAILED', { detail: `more than ${LIMITS.evaluationSteps} repetitions` });
    }
    return options.fn(...values);
  };
  return builtInEach.call(this, list, { ...options, fn: Object.assign(counted, options.fn) });
});

export const KNOWN_HELPERS: ReadonlySet<string> = new Set([
  ...Object.keys(TEMPLATE_HELPERS),
  'if',
  'unless',
  'each',
  'with',
  'lookup',
]);
const compiled = new Map<string, (context: unknown) => string>();

/**
 * Renders a Handlebars template: strict (an unknown name is an error), no HTML escaping, helpers of TEMPLATE_HELPERS only.
 * @throws AppError TEMPLATE_FAILED
 */
export function renderTemplate(template: string, context: object): string {
  stepsLeft = LIMITS.evaluationSteps;
  try {
    const rendered = compileTemplate(template)(context);
    if (rendered.length > LIMITS.renderedLength) {
      throw new AppError('TEMPLATE_FAILED', { detail: `the result exceeds ${LIMITS.renderedLength} characters` });
    }
    return rendered;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('TEMPLATE_FAILED', { detail: firstLine(error) }, error);
  }
}

function compileTemplate(template: string): (context: unknown) => string {
  let render = compiled.get(template);
  if (render === undefined) {
    if (compiled.size >= 1000) compiled.clear();
    render = environment.compile(template, {
      strict: true,
      noEscape: true,
      knownHelpersOnly: true,
      knownHelpers: Object.fromEntries([...KNOWN_HELPERS].map((name) => [name, true])),
    });
    compiled.set(template, render);
  }
  return render;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}
