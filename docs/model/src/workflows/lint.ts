// Lints the workflows and actions below a folder such as `.github`: actionlint, zizmor, and the rules of this project.

import { actionlint } from "./actionlint.ts";
import { check } from "./rules.ts";
import { sourcesBelow } from "./workflow.ts";
import { zizmor } from "./zizmor.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where the workflows are: lint.ts ../../.github");

const sources = sourcesBelow(folder);
if (sources.length === 0) throw new Error(`${folder} has no workflows/*.yml and no actions/*/action.yml`);

const findings = [...check(sources), ...(await actionlint(sources)), ...zizmor(folder)];
for (const finding of findings) console.error(finding);
console.error(`${sources.length} workflows and actions, ${findings.length} findings`);
// actionlint's runtime waits for more work; it is not to be waited for.
process.exit(findings.length === 0 ? 0 : 1);
