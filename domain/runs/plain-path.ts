import { isJsonObject, type Json } from '../json.ts';
import type { ExpressionContext } from './expression.ts';

const PATH = /^(input|run|nodes)((?:\.[A-Za-z_]\w*)+)$/;
/** Words that CEL keeps for itself. */
const RESERVED =
  /\.(?:in|true|false|null|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while|constructor|prototype|__proto__)\b/;

/**
 * The value of an expression that only follows names, as most do, without parsing it. Undefined where it is anything else, or where
 * a name leads nowhere: CEL then says what is wrong.
 */
export function followPath(expression: string, context: ExpressionContext): Json | undefined {
  const match = PATH.exec(expression);
  if (match === null || RESERVED.test(expression)) return undefined;
  const [, root, path = ''] = match;
  const names = path.slice(1).split('.');
  let value: Json = root === 'nodes' ? context.node(names.shift() ?? '') : root === 'run' ? context.run : context.input;
  for (const name of names) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name] as Json;
  }
  return value;
}
