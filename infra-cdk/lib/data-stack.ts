// What a stage keeps: stream, tables, archive, queues and topics, under one key. What must always hold: it can be deployed
// without the functions, and deleting them deletes nothing of it.

import { Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { Alerts } from "./alerts/alerts";
import { Archive } from "./archive/archive";
import { DeadLetters } from "./dead-letters/dead-letters";
import { DataKey } from "./key/data-key";
import { StageBudget } from "./operations/budget";
import { Operations } from "./operations/operations";
import type { Settings } from "./settings";
import { ReadingsStream } from "./stream/readings-stream";
import { Tables } from "./tables/tables";

export class DataStack extends Stack {
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly stream: ReadingsStream;
  readonly tables: Tables;
  readonly archive: Archive;
  readonly deadLetters: DeadLetters;
  readonly alerts: Alerts;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    const dataKey = new DataKey(this, "DataKey", settings);
    const operations = new Operations(this, "Operations", { settings, dataKey });
    const base = { settings, dataKey, operations };
    this.dataKey = dataKey;
    this.operations = operations;
    this.stream = new ReadingsStream(this, "Stream", base);
    this.tables = new Tables(this, "Tables", base);
    this.archive = new Archive(this, "Archive", { ...base, stream: this.stream });
    this.deadLetters = new DeadLetters(this, "DeadLetters", base);
    this.alerts = new Alerts(this, "Alerts", { settings, dataKey });
    // No local AWS knows budgets.
    if (settings.localEndpoint === undefined) {
      new StageBudget(this, "Budget", settings);
    }
  }
}
