// A stage: its two stacks. What must always hold: every resource says to which project and which stage it belongs.

import { type App, Tags } from "aws-cdk-lib";
import { ComputeStack } from "./compute-stack";
import { DataStack } from "./data-stack";
import type { Settings } from "./settings";

export interface Stage {
  readonly data: DataStack;
  readonly compute: ComputeStack;
}

/** Adds the stacks of a stage to the app, under the names that they have in CloudFormation. */
export function addStage(app: App, settings: Settings): Stage {
  const nameOf = (part: string) => `wattstream-${settings.stage}-${part}`;
  const props = { terminationProtection: settings.isKept };
  const data = new DataStack(app, nameOf("data"), settings, props);
  const compute = new ComputeStack(app, nameOf("compute"), settings, data, props);
  Tags.of(app).add("project", "wattstream");
  Tags.of(app).add("stage", settings.stage);
  return { data, compute };
}
