// The CDK app: `cdk synth -c stage=dev|prod`. What it makes is settled by lib/settings.ts.

import { App } from "aws-cdk-lib";
import { settingsFrom } from "../lib/settings";
import { addStage } from "../lib/stage";

const app = new App();
addStage(app, settingsFrom(app.node));
