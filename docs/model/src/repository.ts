// Files of the repository that the model, the pages and the rules read.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);

export function pathOf(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

export function textOf(path: string): string {
  return readFileSync(pathOf(path), "utf8");
}

export function isThere(path: string): boolean {
  return existsSync(pathOf(path));
}
