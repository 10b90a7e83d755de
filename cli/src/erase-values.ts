import { createGatewayClient } from './gateway-client.ts';

type Erasure = { keys: number; runs: number; payloads: number; unsealed: number; histories: number };

const FIELDS = '{ keys runs payloads unsealed histories }';
const MUTATIONS = {
  subject: `mutation ($id: String!) { erased: eraseSubject(subject: $id) ${FIELDS} }`,
  tenant: `mutation ($id: ID!) { erased: eraseTenantValues(tenant: $id) ${FIELDS} }`,
};

/** Gives the exit code: 1 when something can still be read. */
export async function erase(
  what: keyof typeof MUTATIONS,
  id: string,
  { url, json }: { url: string; json?: boolean },
): Promise<number> {
  const { erased } = await createGatewayClient(url)<{ erased: Erasure }>(MUTATIONS[what], { id });
  const { keys, runs, payloads, unsealed, histories } = erased;
  if (json) process.stdout.write(`${JSON.stringify(erased)}\n`);
  else {
    const parts = `${keys} keys, ${payloads} large values and ${histories} histories of Temporal are gone`;
    process.stdout.write(`values of ${runs} runs are erased: ${parts}\n`);
    if (unsealed > 0)
      process.stderr.write(`events of ${unsealed} runs were stored before they were sealed, and stay readable\n`);
  }
  return unsealed > 0 ? 1 : 0;
}
