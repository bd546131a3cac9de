// What the CDK's command line starts: `cdk synth -c stage=dev|prod`. lib/settings.ts has what else can be said.

import { makeApp } from "../lib/app";

makeApp();
