declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<'TenantId'>;
/** A definition's stable id: its name within a tenant. */
export type WorkflowId = Branded<'WorkflowId'>;
/** Equals the Temporal workflow id of the run, over all its continue-as-new links. */
export type RunId = Branded<'RunId'>;
export type NodeId = Branded<'NodeId'>;
/** Lower-case hex SHA-256 of the definition's canonical JSON. */
export type DefinitionHash = Branded<'DefinitionHash'>;
/** Lower-case hex SHA-256 of a stored payload's bytes. */
export type PayloadHash = Branded<'PayloadHash'>;

export const tenantId = (value: string): TenantId => value as TenantId;
export const workflowId = (value: string): WorkflowId => value as WorkflowId;
export const runId = (value: string): RunId => value as RunId;
export const nodeId = (value: string): NodeId => value as NodeId;
export const definitionHash = (value: string): DefinitionHash => value as DefinitionHash;
export const payloadHash = (value: string): PayloadHash => value as PayloadHash;

export const DEFAULT_TENANT = tenantId('default');
