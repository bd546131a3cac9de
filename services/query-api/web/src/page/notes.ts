// What a chart says of itself below its title. What must always hold: a card that leaves the title out still says it.

import type { ChartOption } from "../charts";

export function noteIn(option: ChartOption): string {
  const title = Array.isArray(option.title) ? option.title[0] : option.title;
  return title?.subtext ?? "";
}
