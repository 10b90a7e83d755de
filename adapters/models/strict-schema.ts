import { isJsonObject } from '../../domain/json.ts';

/** Whether every object names all its properties as required and allows no others, which strict modes ask for. */
export function isStrictSchema(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  if (!isJsonObject(schema)) return true;
  const { type, properties, required, additionalProperties } = schema;
  if (type === 'object' || properties !== undefined) {
    const names = isJsonObject(properties) ? Object.keys(properties) : [];
    const listed = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => listed.includes(name))) return false;
  }
  return Object.entries(schema).every(([key, inner]) => key === 'enum' || key === 'const' || isStrictSchema(inner));
}
