import { isJsonObject, type Json } from '../json.ts';
import type { ExpressionContext } from './expression.ts';

const PATH = /^(input|run|nodes|vars|item|index|pass)((?:\.[A-Za-z_]\w*)*)$/;
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
  const names = path.split('.').slice(1);
  let value = rootValue(root as string, names, context);
  for (const name of names) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name] as Json;
  }
  return value;
}

function rootValue(root: string, names: string[], context: ExpressionContext): Json | undefined {
  switch (root) {
    case 'nodes':
      return names.length === 0 ? undefined : context.node(names.shift() as string);
    case 'input':
    case 'run':
    case 'vars':
      return names.length === 0 ? undefined : context[root];
    default:
      return context.bindings[root as keyof typeof context.bindings];
  }
}
