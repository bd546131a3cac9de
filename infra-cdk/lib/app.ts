// The CDK app of one stage. What must always hold: nothing leaves it that the checks have found fault with; what a construct
// acknowledges has its reason beside it.

import { App, type AppProps, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { settingsFrom } from "./settings";
import { addStage } from "./stage";

/** The app whose context says what is wanted. */
export function makeApp(props?: AppProps): App {
  const app = new App(props);
  addStage(app, settingsFrom(app.node));
  addChecks(app);
  return app;
}

/** Has the checks look at every template that the app makes. */
export function addChecks(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
