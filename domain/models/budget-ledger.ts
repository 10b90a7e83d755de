import type { BudgetAction, BudgetPeriod, BudgetScope, BudgetUnit } from './budget.ts';

/** What a call may come to at most, or what it came to. */
export type Amounts = { tokens: number; microUsd: number };

export type Reservation = {
  /** Of the call; asked for again, it is not counted again. */
  callId: string;
  /** What all attempts of one activity have in common; what earlier attempts have left open is released. */
  activity: string;
  attempt: number;
  runId: string;
  provider: string;
  model: string;
  amounts: Amounts;
};

/** A budget that a call does not fit into. */
export type BudgetRefusal = {
  budgetId: string;
  scope: BudgetScope;
  target: string;
  period: BudgetPeriod;
  unit: BudgetUnit;
  limit: number;
  spent: number;
  reserved: number;
  /** What the call may come to. */
  asked: number;
  action: BudgetAction;
  downgradeTo: string | null;
};

export type ReserveOutcome =
  | { admitted: true; /** Whether there is something to settle. */ isCounted: boolean }
  /** Nothing was reserved anywhere. */
  | { admitted: false; refusals: readonly [BudgetRefusal, ...BudgetRefusal[]] };

/** Budgets of calls, kept where all workers see the same. */
export interface BudgetLedger {
  /** In all budgets that the call belongs to, or in none. */
  reserve(reservation: Reservation): Promise<ReserveOutcome>;
  /** Puts what the call came to in the place of what was reserved; once, however often it is called. */
  settle(callId: string, amounts: Amounts): Promise<void>;
}
