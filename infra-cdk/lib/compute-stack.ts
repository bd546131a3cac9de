// What a stage does: the functions, what calls them, and the dashboard. What must always hold: it keeps nothing that could not be
// made again.

import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { DataStack } from "./data-stack";
import { type DashboardRow, StageDashboard } from "./operations/dashboard";
import { QueryApi } from "./query-api/query-api";
import type { Settings } from "./settings";
import { SilentSites } from "./silent-sites/silent-sites";
import { Simulator } from "./simulator/simulator";
import { StreamConsumer } from "./stream-consumer/stream-consumer";

export class ComputeStack extends Stack {
  private readonly consumer: StreamConsumer;
  private readonly api: QueryApi;

  constructor(scope: Construct, id: string, settings: Settings, data: DataStack, props: StackProps) {
    super(scope, id, props);
    const { dataKey, operations, stream, tables, deadLetters, alerts } = data;
    const base = { settings, dataKey, operations, stream };
    const simulators =
      settings.fleet === undefined ? [] : [new Simulator(this, "Simulator", { ...base, fleet: settings.fleet })];
    this.consumer = new StreamConsumer(this, "StreamConsumer", { ...base, tables, deadLetters, alerts });
    const silentSites = new SilentSites(this, "SilentSites", { ...base, tables, deadLetters, alerts });
    this.api = new QueryApi(this, "QueryApi", { ...base, tables, deadLetters });
    const services: readonly { readonly dashboardRow: DashboardRow }[] = [
      ...simulators,
      stream,
      this.consumer,
      deadLetters,
      tables,
      silentSites,
      alerts,
      this.api,
      data.archive,
    ];
    new StageDashboard(this, "Dashboard", { settings, rows: services.map((service) => service.dashboardRow) });
    this.addOutputs(data);
  }

  /** Where everything is, for operators and tests. */
  private addOutputs({ operations, stream, tables, archive, deadLetters, alerts }: DataStack): void {
    const outputs: Readonly<Record<string, string>> = {
      ApiUrl: this.api.url,
      StreamName: stream.stream.streamName,
      AlertsTopicArn: alerts.topic.topicArn,
      OperationsTopicArn: operations.topic.topicArn,
      DeadLettersQueueUrl: deadLetters.queue.queueUrl,
      OnFailureQueueUrl: this.consumer.onFailureQueue.queueUrl,
      ArchiveBucketName: archive.bucket.bucketName,
      ReadingsTable: tables.nameOf("readings"),
      HoursTable: tables.nameOf("hours"),
      SitesTable: tables.nameOf("sites"),
      ShardsTable: tables.nameOf("shards"),
      AlertsTable: tables.nameOf("alerts"),
      SilencesTable: tables.nameOf("silences"),
    };
    for (const [name, value] of Object.entries(outputs)) {
      new CfnOutput(this, name, { value });
    }
  }
}
