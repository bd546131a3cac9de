// The pages and pictures that are written and never edited.

import { costPage } from "./cost-page.ts";
import { DARK, LIGHT, picture } from "./picture.ts";
import { scalingPage } from "./scaling-page.ts";

export interface Page {
  /** Below the root of the repository. */
  readonly path: string;
  readonly text: () => string | Promise<string>;
}

export const PAGES: readonly Page[] = [
  { path: "docs/cost.md", text: costPage },
  { path: "docs/scaling.md", text: scalingPage },
  { path: "docs/images/architecture.svg", text: () => picture(LIGHT) },
  { path: "docs/images/architecture-dark.svg", text: () => picture(DARK) },
];
