// zizmor, the security linter of workflows, from PyPI, in an environment of its own below `target`. It asks nobody on the network.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pathOf } from "../repository.ts";

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));

function run(program: string, args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined)
    throw new Error(`${program} could not be started: ${error.message}; Debian has it as python3-venv`);
  return { status, output: `${stdout}${stderr}` };
}

function insist(program: string, args: readonly string[]): void {
  const { status, output } = run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${output}`);
}

/** The program, installed once for each version. A folder is there whole or not at all. */
function installed(): string {
  const [, version = ""] = /^zizmor==(\S+)$/m.exec(readFileSync(REQUIREMENTS, "utf8")) ?? [];
  const folder = pathOf(`target/zizmor/${version}`);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    insist("python3", ["-m", "venv", unfinished]);
    insist(`${unfinished}/bin/python`, [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "-r",
      REQUIREMENTS,
    ]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  }
  return `${folder}/bin/zizmor`;
}

/** What zizmor says of the workflows and actions below a folder; nothing when it has nothing to say. */
export function zizmor(folder: string): readonly string[] {
  const args = [
    "--offline",
    "--no-progress",
    "--quiet",
    "--color",
    "never",
    "--persona",
    "pedantic",
    "--strict-collection",
  ];
  const { status, output } = run(installed(), [...args, folder]);
  return status === 0 ? [] : [`zizmor ended with ${status}:\n${output}`];
}
