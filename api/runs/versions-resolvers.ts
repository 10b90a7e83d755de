import { listRunVersions } from '../../adapters/postgres/run-versions.ts';
import { readDefinition } from '../../adapters/postgres/definition-store.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import type { Draft } from '../../domain/runs/versions/draft.ts';
import type { Principal } from '../access/principal.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { discardDraft, listDraftsOf, publishDraft, readDraftOf, saveDraft, type SaveDraft } from './drafts.ts';
import { checkFleet, type FleetCheck, type FleetReport } from './fleet-check.ts';
import { migrateRun, type MigrateRun } from './migrate-run.ts';
import { validateWorkflow } from './publish-workflow.ts';
import { type PageArguments, readWorkflow } from './read-runs.ts';
import { deprecateVersion, listVersionsOf, undeprecateVersion, type VersionReference } from './workflow-versions.ts';

type Context = { principal: Principal };
type Shown = { first?: number | null; everything?: boolean | null };
type DraftReference = { workflowId: string; expectedRevision: number };

export function versionsResolvers(deps: RunsDeps) {
  return {
    Query: {
      draft: (_: unknown, { workflowId }: { workflowId: string }, { principal }: Context) =>
        readDraftOf(deps, principal, workflowId),
      fleetCheck: (_: unknown, request: FleetCheck, { principal }: Context) => checkFleet(deps, principal, request),
      drafts: (_: unknown, page: PageArguments, { principal }: Context) => listDraftsOf(deps, principal, page),
    },
    Mutation: {
      saveDraft: (_: unknown, request: SaveDraft, { principal }: Context) => saveDraft(deps, principal, request),
      publishDraft: (_: unknown, request: DraftReference, { principal }: Context) =>
        publishDraft(deps, principal, request),
      discardDraft: (_: unknown, request: DraftReference, { principal }: Context) =>
        discardDraft(deps, principal, request),
      migrateRun: (_: unknown, request: MigrateRun, { principal }: Context) => migrateRun(deps, principal, request),
      deprecateVersion: (_: unknown, request: VersionReference & { reason?: string | null }, { principal }: Context) =>
        deprecateVersion(deps, principal, request),
      undeprecateVersion: (_: unknown, request: VersionReference, { principal }: Context) =>
        undeprecateVersion(deps, principal, request),
    },
    Run: { versions: (run: RunRecord) => listRunVersions(deps.pool, run.id) },
    Workflow: {
      status: ({ deprecation }: PublishedDefinition) => (deprecation === null ? 'ACTIVE' : 'DEPRECATED'),
      versions: (workflow: PublishedDefinition, page: PageArguments) => listVersionsOf(deps, workflow, page),
      atVersion: (workflow: PublishedDefinition, { version }: { version: number }, { principal }: Context) =>
        readWorkflow(deps, principal, workflow.workflowId, version),
    },
    FleetReport: {
      openCounts: ({ open }: FleetReport) => ({
        continues: count(open, 'CONTINUES'),
        needMapping: count(open, 'NEEDS_MAPPING'),
        repeatEffects: count(open, 'REPEATS_EFFECT'),
      }),
      closedCounts: ({ closed }: FleetReport) => ({
        same: count(closed, 'SAME'),
        endDifferently: count(closed, 'ENDS_DIFFERENTLY'),
        incomparable: count(closed, 'INCOMPARABLE'),
      }),
      open: ({ open }: FleetReport, { first, everything }: Shown) =>
        open.filter(({ verdict }) => everything || verdict !== 'CONTINUES').slice(0, pageSize(first, 100, 1_000)),
      closed: ({ closed }: FleetReport, { first, everything }: Shown) =>
        closed
          .filter(({ verdict }) => everything || verdict === 'ENDS_DIFFERENTLY')
          .slice(0, pageSize(first, 100, 1_000)),
    },
    RepeatedEffect: { path: ({ iteration }: { iteration: string }) => iteration },
    Draft: {
      problems: (draft: Draft, _: unknown, { principal }: Context) =>
        validateWorkflow(deps, principal, draft.definition),
      outdated: async (draft: Draft, _: unknown, { principal }: Context) => {
        const latest = await readDefinition(deps.pool, principal.tenantId, draft.workflowId);
        return latest !== undefined && latest.version > (draft.basedOnVersion ?? 0);
      },
    },
  };
}

const count = (checks: readonly { verdict: string }[], verdict: string): number =>
  checks.filter((check) => check.verdict === verdict).length;
