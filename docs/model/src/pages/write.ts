// Writes every page into the repository.

import { writeFileSync } from "node:fs";
import { pathOf } from "../repository.ts";
import { PAGES } from "./pages.ts";

for (const page of PAGES) {
  writeFileSync(pathOf(page.path), await page.text());
  console.error(`wrote ${page.path}`);
}
