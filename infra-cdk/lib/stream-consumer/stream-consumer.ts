// The stream consumer and its event source. What must always hold: a record is delivered until it was processed, or until its age
// leaves a day to read it from the stream (docs/decisions/0010); one batch of a shard at a time is processed, because the states
// of sites are kept per shard and in order.

import { Duration } from "aws-cdk-lib";
import { EventSourceMapping, type IEventSourceDlq, MetricType, StartingPosition } from "aws-cdk-lib/aws-lambda";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Alerts } from "../alerts/alerts";
import type { DeadLetters } from "../dead-letters/dead-letters";
import { LetterQueue } from "../dead-letters/letter-queue";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { FIVE_MINUTES, MINUTE } from "../operations/periods";
import { RustFunction } from "../rust-function/rust-function";
import type { Settings } from "../settings";
import type { ReadingsStream } from "../stream/readings-stream";
import type { Tables } from "../tables/tables";

/**
 * The most records of a batch. Lambda hands over 6 MB at most, in which a record of 200 bytes takes about 800: 7,600 records,
 * whatever is asked for. Fewer, because a batch that fails is delivered again as a whole, or in halves; and enough that its one
 * mark, which is a write unit, is nothing beside its rows: 1,000 rows are 40 requests, a fraction of a second.
 */
const BATCH_RECORDS_MAX = 1_000;

/** How long Lambda waits for a batch to fill. A reading is to be seen within a second or two; each second more saves calls. */
const BATCHING_WINDOW = Duration.seconds(1);

/**
 * How long a batch may take. The largest one is 6 MB of aggregates, some 35,000 readings or 1,400 requests, 16 at a time: seconds.
 * A request may take 12 s with its attempts, so that a minute has room for a store that limps; what is not done by then is
 * reported and delivered again.
 */
const TIMEOUT = Duration.seconds(60);

/**
 * It takes 27 MiB (docs/performance.md). Memory buys processor time: this much is a fourth of a core, for TLS more than for
 * readings.
 */
const MEMORY_MIB = 512;

/** How much earlier than the stream Lambda forgets a record: the time to read from the stream what was given up. */
const TIME_TO_REDRIVE = Duration.hours(24);

/** Attempts do not end by count: a store that is away comes back. */
const RETRIES_WITHOUT_END = -1;

/** When the consumer lags so far, somebody should know, though nothing is lost yet. */
const LAG = Duration.minutes(5);

export interface StreamConsumerProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly stream: ReadingsStream;
  readonly tables: Tables;
  readonly deadLetters: DeadLetters;
  readonly alerts: Alerts;
}

export class StreamConsumer extends Construct {
  readonly dashboardRow: DashboardRow;
  private readonly rust: RustFunction;
  private readonly givenUp: LetterQueue;

  constructor(scope: Construct, id: string, props: StreamConsumerProps) {
    super(scope, id);
    this.givenUp = new LetterQueue(this, "GivenUp", props);
    this.rust = new RustFunction(this, "Function", {
      settings: props.settings,
      dataKey: props.dataKey,
      name: "stream-consumer",
      description: "Folds readings into the tables",
      memoryMiB: MEMORY_MIB,
      timeout: TIMEOUT,
      variables: {
        ...props.tables.variables(),
        WATTSTREAM_STREAM: props.stream.stream.streamName,
        WATTSTREAM_DEAD_LETTERS_QUEUE_URL: props.deadLetters.queue.queueUrl,
        WATTSTREAM_ALERTS_TOPIC_ARN: props.alerts.topic.topicArn,
      },
    });
    this.allowWhatItCalls(props);
    this.addEventSource(props);
    this.addAlarms(props);
    this.dashboardRow = this.row();
  }

  /** The batches that Lambda gave up: pointers into the stream. */
  get onFailureQueue(): Queue {
    return this.givenUp.queue;
  }

  private allowWhatItCalls({ stream, tables, deadLetters, alerts }: StreamConsumerProps): void {
    const { role } = this.rust;
    // Lambda reads the stream, and reports what it gave up, in the name of the function.
    stream.allowReading(
      role,
      "DescribeStream",
      "DescribeStreamSummary",
      "GetRecords",
      "GetShardIterator",
      "ListShards",
    );
    this.givenUp.allowSending(role);
    tables.allow(role, "readings", "BatchWriteItem", "PutItem", "Query");
    tables.allow(role, "hours", "BatchWriteItem");
    tables.allow(role, "sites", "BatchGetItem", "PutItem");
    tables.allow(role, "shards", "GetItem", "PutItem");
    tables.allow(role, "alerts", "BatchWriteItem");
    deadLetters.allowSending(role);
    alerts.allowPublishing(role);
  }

  private addEventSource({ settings, stream }: StreamConsumerProps): void {
    const source = new EventSourceMapping(this, "EventSource", {
      target: this.rust.function,
      eventSourceArn: stream.stream.streamArn,
      // What was sent before the function was there is read as well.
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: BATCH_RECORDS_MAX,
      maxBatchingWindow: BATCHING_WINDOW,
      // A batch that is too large for its time gets through in halves.
      bisectBatchOnError: true,
      // What was processed before the fault is not delivered again. Without it the reply would not even be read.
      reportBatchItemFailures: true,
      retryAttempts: RETRIES_WITHOUT_END,
      maxRecordAge: settings.streamRetention.minus(TIME_TO_REDRIVE),
      // More would split a shard by the hash of the partition key, while marks, frontiers and the warm cache are kept per shard.
      parallelizationFactor: 1,
      onFailure: this.toGivenUp(),
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
    });
    // Lambda tries the role when the source is made.
    source.node.addDependency(this.rust.role);
  }

  /** The library's destination would let the function do more with the queue than send. */
  private toGivenUp(): IEventSourceDlq {
    return { bind: () => ({ destination: this.givenUp.queue.queueArn }) };
  }

  private addAlarms({ operations, settings }: StreamConsumerProps): void {
    const lambda = this.rust.function;
    const sum = { statistic: "Sum", period: MINUTE };
    operations.addAlarm(this, {
      heading: "consumer-lags",
      metric: this.iteratorAge(),
      when: { atLeast: LAG.toMilliseconds() },
      periods: [10, 10],
      silence: "unknown",
    });
    operations.addAlarm(this, {
      heading: "consumer-far-behind",
      metric: this.iteratorAge(),
      // Three quarters of the retention are left.
      when: { atLeast: settings.streamRetention.toMilliseconds() / 4 },
      periods: [3, 3],
      silence: "unknown",
    });
    operations.addAlarm(this, {
      heading: "consumer-stands-still",
      metric: lambda.metricInvocations({ statistic: "Sum", period: FIVE_MINUTES }),
      when: { below: 1 },
      // Sites send at least every half hour; a stream that nobody reads has no age that could tell.
      periods: [6, 6],
      silence: "wrong",
    });
    operations.addAlarm(this, {
      heading: "consumer-errors",
      metric: lambda.metricErrors(sum),
      when: { atLeast: 1 },
      periods: [3, 5],
      silence: "well",
    });
    operations.addAlarm(this, {
      heading: "consumer-throttled",
      metric: lambda.metricThrottles(sum),
      when: { atLeast: 1 },
      periods: [3, 5],
      silence: "well",
    });
    operations.addAlarm(this, {
      heading: "consumer-near-timeout",
      metric: lambda.metricDuration({ statistic: "Maximum", period: FIVE_MINUTES }),
      when: { atLeast: 0.8 * TIMEOUT.toMilliseconds() },
      periods: [2, 3],
      silence: "well",
    });
    operations.addAlarm(this, {
      heading: "batches-given-up",
      metric: this.givenUp.metricWaiting(),
      when: { atLeast: 1 },
      periods: [1, 1],
      silence: "unknown",
    });
    operations.addAlarm(this, {
      heading: "alerts-not-published",
      metric: this.rust.ownMetric("wattstream_alert_publish_failures_total", FIVE_MINUTES),
      when: { atLeast: 1 },
      // The engine sends again with the next batches; three times in a row is no hiccup.
      periods: [3, 3],
      silence: "well",
    });
  }

  private row(): DashboardRow {
    const lambda = this.rust.function;
    const sum = { statistic: "Sum", period: MINUTE };
    return {
      title: "Stream consumer",
      graphs: [
        { title: "Age of the iterator", metrics: [this.iteratorAge()] },
        {
          title: "Calls, errors, throttles",
          metrics: [lambda.metricInvocations(sum), lambda.metricErrors(sum), lambda.metricThrottles(sum)],
        },
        {
          title: "Duration",
          metrics: ["p50", "p99", "Maximum"].map((statistic) => lambda.metricDuration({ statistic, period: MINUTE })),
        },
        { title: "Batches given up", metrics: [this.givenUp.metricWaiting()] },
      ],
    };
  }

  private iteratorAge() {
    return this.rust.function.metric("IteratorAge", { statistic: "Maximum", period: MINUTE });
  }
}
