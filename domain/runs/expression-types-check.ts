import { isJsonObject } from '../json.ts';
import { checkTemplate } from './check-template.ts';
import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { environment } from './expression-environment.ts';
import { describeType, DYN, fieldNames, fieldOf, isNeverOf, objectOf, type ValueType } from './expression-types.ts';
import { type ExpressionText, expressionsOf, mappingTexts } from './expression-types-fields.ts';
import type { TypeFault, TypeScope } from './expression-types-infer.ts';
import { type DefinitionTypes, typeOfExpression, typesOf } from './expression-types-scope.ts';
import { didYouMean, type Report } from './problem-list.ts';

/**
 * Reports what can never work whatever the run brings: fields that a closed schema or a node's known output does not have, and
 * operations on values of another type. The graph is sound, or nothing is known of what comes before.
 */
export function validateTypes(definition: WorkflowDefinition, report: Report): void {
  const types = typesOf(definition);
  definition.nodes.forEach((node, index) => {
    for (const one of expressionsOf(node)) {
      check(one, scopeOf(one, node, types), ['nodes', index, ...one.path], node, report);
    }
  });
  for (const one of mappingTexts(definition.output, ['output'], 'node')) {
    check(one, types.scopeOf(null), one.path, null, report);
  }
}

export function scopeOf(
  { scope }: Pick<ExpressionText, 'scope'>,
  node: NodeDefinition,
  types: DefinitionTypes,
): TypeScope {
  if (scope === 'body') return types.scopeInside(node.id);
  return scope === 'undo' ? types.scopeAfter(node.id) : types.scopeOf(node.id);
}

type Path = readonly (string | number)[];

function check(one: ExpressionText, scope: TypeScope, path: Path, node: NodeDefinition | null, report: Report): void {
  const nodeId = node?.id ?? null;
  if (one.kind === 'template') return checkPaths(one.text, (root) => rootType(root, scope), path, nodeId, report);
  if (one.kind === 'prompt') return checkPrompt(one, scope, path, node, report);
  if (!isSound(one.text)) return;
  const faults: TypeFault[] = [];
  const type = typeOfExpression(one.text, scope, (fault) => void faults.push(fault));
  for (const { message, offset, hint, unknownField } of faults) {
    // Undeclared variables are VARIABLE_UNKNOWN, which validate-config.ts reports.
    if (unknownField && message.startsWith('vars has no field')) continue;
    const code = unknownField ? 'REFERENCE_UNKNOWN' : 'EXPRESSION_INVALID';
    report(code, path, nodeId, `${message} (${placeOf(one.text, offset)})`, hint ?? undefined);
  }
  if (faults.length === 0 && one.gives !== null && isNeverOf(type, one.gives)) {
    report('EXPRESSION_INVALID', path, nodeId, `gives ${describeType(type)}, not ${one.gives.join(' or ')}`);
  }
}

/** What cel-js finds wrong by itself is reported with the syntax. */
function isSound(text: string): boolean {
  try {
    return environment.parse(text).check().valid;
  } catch {
    return false;
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function rootType([root, second]: readonly string[], scope: TypeScope): { type: ValueType; used: number } {
  if (root === 'nodes') return { type: (second === undefined ? undefined : scope.node(second)) ?? DYN, used: 2 };
  return { type: scope.variable(root ?? '') ?? DYN, used: 1 };
}

function checkPaths(
  template: string,
  rootOf: (parts: readonly string[]) => { type: ValueType; used: number },
  path: Path,
  nodeId: string | null,
  report: Report,
): void {
  for (const parts of checkTemplate(template).paths) {
    const { type, used } = rootOf(parts);
    let current = type;
    for (const [index, name] of parts.entries()) {
      if (index < used) continue;
      const next = templateField(current, name);
      if (next === null) {
        const names = fieldNames(current);
        const hint = names.length === 0 ? undefined : () => didYouMean(name, names);
        const message = `The template names ${parts.join('.')}, but ${parts.slice(0, index).join('.')} has no field ${name}`;
        report('REFERENCE_UNKNOWN', path, nodeId, message, hint);
        break;
      }
      current = next;
    }
  }
}

/** Handlebars follows indices and `length` of lists by dots too. */
function templateField(type: ValueType, name: string): ValueType | null {
  if (!isNeverOf(type, ['list', 'string', 'timestamp', 'duration'])) return DYN;
  return fieldOf(type, name);
}

/** A prompt reads the node's own `values`. */
function checkPrompt(
  one: ExpressionText,
  scope: TypeScope,
  path: Path,
  node: NodeDefinition | null,
  report: Report,
): void {
  const values = (one.scope === 'undo' ? node?.undo?.config : node?.config)?.['values'];
  if (!isJsonObject(values)) return;
  const fields = Object.entries(values).map(([name, value]) => {
    const type = typeof value === 'string' ? typeOfExpression(value, scope, () => undefined) : DYN;
    return [name, type.kind === 'optional' ? DYN : type] as const;
  });
  const known = objectOf(Object.fromEntries(fields), DYN);
  checkPaths(one.text, () => ({ type: known, used: 0 }), path, node?.id ?? null, report);
}
