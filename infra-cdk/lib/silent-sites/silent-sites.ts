// The watch over silent sites, on its schedule. What must always hold: it may look at everything that the consumer writes, and
// write nothing but silences and alerts.

import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { Alerts } from "../alerts/alerts";
import type { DeadLetters } from "../dead-letters/dead-letters";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { FIVE_MINUTES } from "../operations/periods";
import { ScheduledFunction } from "../schedule/scheduled-function";
import type { Settings } from "../settings";
import type { ReadingsStream } from "../stream/readings-stream";
import type { Tables } from "../tables/tables";

/** A site is silent after six intervals, half an hour for most: to look more often finds nothing sooner that matters. */
const EVERY = FIVE_MINUTES;

/** The states of all sites are read, a page after the other; the next check begins with what this one has stored. */
const TIMEOUT = Duration.seconds(120);
const MEMORY_MIB = 512;

export interface SilentSitesProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly stream: ReadingsStream;
  readonly tables: Tables;
  readonly deadLetters: DeadLetters;
  readonly alerts: Alerts;
}

export class SilentSites extends Construct {
  readonly dashboardRow: DashboardRow;

  constructor(scope: Construct, id: string, props: SilentSitesProps) {
    super(scope, id);
    const scheduled = new ScheduledFunction(this, "Scheduled", {
      settings: props.settings,
      dataKey: props.dataKey,
      operations: props.operations,
      name: "silent-sites",
      description: "Finds sites that have stopped sending",
      every: EVERY,
      memoryMiB: MEMORY_MIB,
      timeout: TIMEOUT,
      variables: {
        ...props.tables.variables(),
        WATTSTREAM_STREAM: props.stream.stream.streamName,
        // It asks for the variable with the others, and never looks into the queue: so it may not, either.
        WATTSTREAM_DEAD_LETTERS_QUEUE_URL: props.deadLetters.queue.queueUrl,
        WATTSTREAM_ALERTS_TOPIC_ARN: props.alerts.topic.topicArn,
      },
    });
    allowWhatItCalls(scheduled, props);
    this.dashboardRow = {
      title: "Silent sites",
      graphs: [
        ...scheduled.graphs(),
        {
          title: "Silent",
          metrics: [scheduled.rust.ownMetric("wattstream_silent_sites", EVERY).with({ statistic: "Maximum" })],
        },
      ],
    };
  }
}

function allowWhatItCalls(scheduled: ScheduledFunction, { stream, tables, alerts }: SilentSitesProps): void {
  const { role } = scheduled.rust;
  stream.allowReading(role, "GetRecords", "GetShardIterator", "ListShards");
  tables.allow(role, "shards", "GetItem");
  tables.allowQueryOf(role, "sites", "fleet");
  tables.allow(role, "sites", "BatchGetItem");
  tables.allow(role, "readings", "Query");
  tables.allow(role, "silences", "BatchWriteItem", "Query");
  tables.allow(role, "alerts", "BatchWriteItem");
  alerts.allowPublishing(role);
}
