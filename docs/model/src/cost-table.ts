// The bill of one fleet as a table, for the page and for the command line.

import { bill, type Line, PARTS, totalUsd, usdOf } from "./bill.ts";
import type { Fleet } from "./fleet.ts";
import { figure, percent, table, usd } from "./pages/markdown.ts";
import { PRICES } from "./prices.ts";

const NOTICED_USD = 0.005;

/** Every line that costs half a cent or more, the parts in their order, and the sum of all. */
export function billTable(fleet: Fleet): string {
  const lines = bill(fleet);
  const total = totalUsd(lines);
  const rows = PARTS.flatMap((part) => lines.filter((line) => line.part === part && usdOf(line) >= NOTICED_USD)).map(
    (line) => [line.part, line.what, quantityOf(line), usd(usdOf(line)), percent(usdOf(line) / total)],
  );
  rows.push(["**all**", "", "", `**${usd(total)}**`, ""]);
  return table(["part", "what", "a month", "cost", "share"], rows);
}

function quantityOf(line: Line): string {
  const unit = PRICES[line.price].unit.split(",")[0] ?? "";
  return `${figure(line.quantity)} × ${unit}`;
}
