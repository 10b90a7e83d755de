import { workflowInfo } from '@temporalio/workflow';

/**
 * Lets the next link of a run go to the current build of the workers. Servers before 1.30 do not know the option of continue-as-new
 * for it; they go by the behaviour that this workflow task declares, which the SDK lets nobody change after the start of a run.
 */
export function upgradeOnContinue(): void {
  // Workers without builds have one without a deployment.
  if (!workflowInfo().currentDeploymentVersion?.deploymentName) return;
  const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as {
    __TEMPORAL_ACTIVATOR__?: { versioningBehavior?: string };
  };
  if (activator) activator.versioningBehavior = 'AUTO_UPGRADE';
}
