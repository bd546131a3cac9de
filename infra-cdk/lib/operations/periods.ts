// Over how long a metric is taken.

import { Duration } from "aws-cdk-lib";

/** The period of what is counted when something is called. */
export const MINUTE = Duration.minutes(1);
/** The period of what need not be known at once. */
export const FIVE_MINUTES = Duration.minutes(5);
