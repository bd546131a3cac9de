// The budget of a stage. What must always hold: it counts all that its account costs. A filter by tag would count nothing until
// somebody has activated the tag for billing, and nobody would notice; so a stage has an account of its own, or its budget
// is too careful.

import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Construct } from "constructs";
import type { Settings } from "../settings";

/** The parts of the limit, in per cent, at which the operators hear of it: while there is time, and when it is spent. */
const WARNINGS = [
  { notificationType: "FORECASTED", threshold: 100 },
  { notificationType: "ACTUAL", threshold: 80 },
  { notificationType: "ACTUAL", threshold: 100 },
] as const;

export class StageBudget extends Construct {
  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const email = settings.operatorsEmail;
    new CfnBudget(this, "Budget", {
      // Without a name of its own: a change of who is warned replaces the budget, and the new one is made before the old one goes.
      budget: {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: settings.budgetUsdPerMonth, unit: "USD" },
      },
      // Without a mail address it is shown in the console alone.
      ...(email !== undefined && {
        notificationsWithSubscribers: WARNINGS.map((warning) => warningTo(email, warning)),
      }),
    });
  }
}

function warningTo(email: string, warning: (typeof WARNINGS)[number]): CfnBudget.NotificationWithSubscribersProperty {
  return {
    notification: { ...warning, comparisonOperator: "GREATER_THAN", thresholdType: "PERCENTAGE" },
    subscribers: [{ subscriptionType: "EMAIL", address: email }],
  };
}
