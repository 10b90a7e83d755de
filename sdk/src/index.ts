/** What others import from `@weft/sdk`. */
export { checkScenario, type Expectation } from '../../domain/authoring/check-scenario.ts';
export {
  type DefinitionDiff,
  describeDiff,
  diffDefinitions,
  type NodeChange,
  type ValueChange,
} from '../../domain/authoring/diff-definitions.ts';
export { formatDuration, parseDuration } from '../../domain/authoring/duration.ts';
export { explainDefinition, type Explanation } from '../../domain/authoring/explain-definition.ts';
export type { NodeForecast } from '../../domain/authoring/explain-definition.ts';
export { importN8n } from '../../domain/authoring/import/import-n8n.ts';
export { importServerless } from '../../domain/authoring/import/import-serverless.ts';
export type { ImportResult, TriggerSuggestion, Unmapped } from '../../domain/authoring/import/imported.ts';
export {
  readResults,
  readScenarioFile,
  readSteps,
  type Scenario,
  type ScenarioFile,
} from '../../domain/authoring/read-scenario.ts';
export { runScript, type Script, type ScriptedRun } from '../../domain/authoring/scenario.ts';
export { describeTimeline, type TimelineEntry, timelineOf } from '../../domain/authoring/timeline.ts';
export { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
export { canonicalJson } from '../../domain/runs/canonical-json.ts';
export { compileDefinition } from '../../domain/runs/compile.ts';
export type { DefinitionProblem, WorkflowDefinition } from '../../domain/runs/definition.ts';
export { type Completion as ExpressionCompletion, completionsAt } from '../../domain/runs/expression-types-complete.ts';
export { validateDefinition } from '../../domain/runs/validate.ts';
export type { Builder, NodeOptions, References } from './builder-types.ts';
export { type Cel, cel } from './cel.ts';
export {
  type ParsedText,
  parseText,
  type PlacedProblem,
  placeProblems,
  printText,
  type TextFormat,
  type TextPosition,
  type TextProblem,
} from './definition-text.ts';
export type { ApprovalOutput, ConfigOf, Expression, MappingInput, TemplateInput } from './node-config.ts';
export type { Ref, Reference } from './reference.ts';
export { text } from './text.ts';
export { gives, workflow, type WorkflowBuilder } from './workflow.ts';
