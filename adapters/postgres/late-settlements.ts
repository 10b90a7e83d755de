import type { Amounts } from '../../domain/models/budget-ledger.ts';

const AGAIN_MS = 2_000;

/** Calls that could not be settled while the database was away, tried again until they are: their worker lives, so nobody else will. */
export function createLateSettlements(
  settle: (callId: string, amounts: Amounts) => Promise<void>,
  onError: (error: unknown) => void,
): { add: (callId: string, amounts: Amounts) => void; close: () => Promise<void> } {
  const open = new Map<string, Amounts>();
  let timer: NodeJS.Timeout | undefined;
  let trying: Promise<void> = Promise.resolve();
  const tryAll = async () => {
    timer = undefined;
    for (const [callId, amounts] of open) {
      try {
        await settle(callId, amounts);
        open.delete(callId);
      } catch (error) {
        onError(error);
        break;
      }
    }
  };
  const plan = () => {
    if (open.size === 0 || timer) return;
    timer = setTimeout(() => {
      trying = tryAll().finally(plan);
    }, AGAIN_MS);
  };
  return {
    add(callId, amounts) {
      open.set(callId, amounts);
      plan();
    },
    async close() {
      clearTimeout(timer);
      await trying;
      clearTimeout(timer);
      await tryAll();
    },
  };
}
