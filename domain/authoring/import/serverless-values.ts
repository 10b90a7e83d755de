import { isJsonObject, type Json } from '../../json.ts';
import { jqToCel, type JqScope } from './jq-to-cel.ts';
import { templatePath } from './tokens.ts';

const EXPRESSION = /^\s*\$\{([^]*)\}\s*$/;

/** A value in which texts of the form `${ jq }` are expressions, as a mapping of CEL. */
export function valueToMapping(value: Json, scope: JqScope): Json {
  if (isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, valueToMapping(inner, scope)]));
  }
  return valueToCel(value, scope);
}

export function valueToCel(value: Json, scope: JqScope): string {
  if (Array.isArray(value)) return `[${value.map((one) => valueToCel(one, scope)).join(', ')}]`;
  if (isJsonObject(value)) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${valueToCel(inner, scope)}`)
      .join(', ')}}`;
  }
  const expression = typeof value === 'string' ? EXPRESSION.exec(value) : null;
  return expression ? jqToCel(expression[1] as string, scope) : JSON.stringify(value);
}

/** Conditions stand with or without `${ }`. */
export function conditionToCel(text: string, scope: JqScope): string {
  return jqToCel(EXPRESSION.exec(text)?.[1] ?? text, scope);
}

/** Values that a template needs and cannot compute: they are computed by a node before. */
export type Computed = { [name: string]: string };

/** `${ jq }` as a whole, `{name}` inside of addresses, or plain text, as Handlebars. */
export function textToTemplate(value: Json, scope: JqScope, valuesId: string, computed: Computed): string {
  if (typeof value !== 'string') return typeof value === 'object' ? JSON.stringify(value) : String(value);
  const print = (cel: string): string => {
    const path = templatePath(cel);
    if (path !== null) return `{{${path}}}`;
    const name = `value${Object.keys(computed).length}`;
    computed[name] = cel;
    return `{{nodes.${valuesId}.output.${name}}}`;
  };
  const expression = EXPRESSION.exec(value);
  if (expression) return print(jqToCel(expression[1] as string, scope));
  return value.replaceAll(/\{([A-Za-z_]\w*)\}/g, (_, name: string) => print(jqToCel(`.${name}`, scope)));
}

/** `PT1H30M`, or `{hours: 1, minutes: 30}`, in ms; null for expressions. */
export function durationOf(value: Json | undefined): number | null {
  if (typeof value === 'string') {
    const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(value);
    if (match === null) return null;
    const [, days = 0, hours = 0, minutes = 0, seconds = 0] = match;
    return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000;
  }
  if (!isJsonObject(value)) return null;
  const units = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 };
  return Object.entries(units).reduce(
    (sum, [unit, size]) => sum + (typeof value[unit] === 'number' ? value[unit] * size : 0),
    0,
  );
}
