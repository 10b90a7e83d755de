/** What others import from `@weft/sdk`. */
export type { Json, JsonObject } from '../../domain/json.ts';
export type { DefinitionProblem, WorkflowDefinition } from '../../domain/runs/definition.ts';
export { type Cel, cel } from './cel.ts';
export type { ApprovalOutput, ConfigOf, Expression, MappingInput, TemplateInput } from './node-config.ts';
export type { Ref, Reference } from './reference.ts';
export { text } from './text.ts';
export { gives, type NodeOptions, type References, workflow, type WorkflowBuilder } from './workflow.ts';
