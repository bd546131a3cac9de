// The command line: what a month of one's own fleet costs.

import { bill, totalUsd } from "./bill.ts";
import { billTable } from "./cost-table.ts";
import { parseFleet } from "./fleet.ts";
import { usd } from "./pages/markdown.ts";
import { PRICES_REGION, PRICES_TAKEN } from "./prices.ts";
import { formatDuration } from "./time.ts";

try {
  const fleet = parseFleet(process.argv.slice(2));
  const total = totalUsd(bill(fleet));
  console.log(billTable(fleet));
  console.log(
    `\n${fleet.sites} sites every ${formatDuration(fleet.intervalS)}, ${fleet.mode}: ${usd(total)} a month, ` +
      `${usd(total / fleet.sites)} a site. Prices of ${PRICES_REGION}, taken on ${PRICES_TAKEN}; docs/cost.md says how.`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
