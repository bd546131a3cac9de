// What AWS asks, in US dollars, in us-east-1.
//
// What must always hold: every price has its unit, the page of AWS that it belongs to, and where it was read. There was no
// way to AWS's own price list when these were taken, so each was looked up in public texts of the date given, and what no
// such text confirms says so. Free allowances are left out: they make small fleets cheaper than the pages say.

/** The day on which these prices were put together. */
export const PRICES_TAKEN = "2026-11-27";

export const PRICES_REGION = "us-east-1";

export interface Price {
  /** US dollars for one unit. */
  readonly usd: number;
  readonly unit: string;
  /** The page of AWS that is the authority for it. */
  readonly page: string;
  /** Where it was read, and of what date that is. */
  readonly source: string;
  /** Whether a public text was found that states it for us-east-1 and that nothing else found contradicts. */
  readonly isConfirmed: boolean;
}

const KINESIS = "https://aws.amazon.com/kinesis/data-streams/pricing/";
const DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/";
const LAMBDA = "https://aws.amazon.com/lambda/pricing/";
const CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/";
const KMS = "https://aws.amazon.com/kms/pricing/";
const S3 = "https://aws.amazon.com/s3/pricing/";

const ADVANTAGE_POST = "AWS Big Data Blog, “Kinesis On-demand Advantage saves 60%+ on streaming costs”, 2026-03-09";
const REPOSITORIES = "several public repositories that reckon with it, 2024 to 2026";
const S3_LIST = "a public note that quotes AWS's price list of 2026-09-28";

function confirmed(usd: number, unit: string, page: string, source: string): Price {
  return { usd, unit, page, source, isConfirmed: true };
}

function unconfirmed(usd: number, unit: string, page: string, source: string): Price {
  return { usd, unit, page, source, isConfirmed: false };
}

export const PRICES = {
  kinesisStreamHour: confirmed(0.04, "on-demand stream and hour", KINESIS, ADVANTAGE_POST),
  kinesisGbIn: confirmed(0.08, "GB in, each record rounded up to 1 KB", KINESIS, ADVANTAGE_POST),
  kinesisGbOut: confirmed(0.04, "GB out, each reader", KINESIS, REPOSITORIES),
  kinesisGbMonthExtended: confirmed(0.1, "GB and month kept after 24 hours, on-demand", KINESIS, ADVANTAGE_POST),
  kinesisShardHour: confirmed(0.015, "provisioned shard and hour", KINESIS, REPOSITORIES),
  kinesisPutUnit: confirmed(0.014e-6, "PUT payload unit of 25 KB", KINESIS, REPOSITORIES),
  kinesisShardHourExtended: unconfirmed(
    0.02,
    "provisioned shard and hour that keeps records for more than 24 hours, at most 7 days",
    KINESIS,
    "public repositories, 2025; two others say 0.023",
  ),
  firehoseGb: confirmed(
    0.029,
    "GB from Kinesis, each record rounded up to 5 KB, first 500 TB a month",
    "https://aws.amazon.com/firehose/pricing/",
    "public listings of streaming services, 2026; the rounding also in an older copy of AWS's page",
  ),
  dynamoDbWriteUnit: confirmed(
    0.625e-6,
    "write request unit",
    DYNAMODB,
    "airbyte.com, “Amazon DynamoDB Pricing”, 2025-07-21",
  ),
  dynamoDbReadUnit: confirmed(
    0.125e-6,
    "read request unit",
    DYNAMODB,
    "airbyte.com, “Amazon DynamoDB Pricing”, 2025-07-21",
  ),
  dynamoDbWriteUnitHour: confirmed(
    0.00065,
    "provisioned write unit and hour",
    "https://aws.amazon.com/dynamodb/pricing/provisioned/",
    "zeonedge.com, undated",
  ),
  dynamoDbGbMonth: confirmed(
    0.25,
    "GB and month, Standard class",
    DYNAMODB,
    "a stored copy of AWS's DynamoDB page, undated",
  ),
  dynamoDbRecoveryGbMonth: confirmed(0.2, "GB and month of point-in-time recovery", DYNAMODB, REPOSITORIES),
  lambdaRequest: confirmed(0.2e-6, "request", LAMBDA, "a public cost note, 2026-05-11"),
  lambdaGbSecond: confirmed(
    0.0000133334,
    "GB-second on arm64, first 7.5 billion a month",
    LAMBDA,
    "cloudchipr.com, 2024, and a public cost note, 2026-05-11",
  ),
  s3GbMonth: confirmed(0.023, "GB and month, Standard class, first 50 TB", S3, S3_LIST),
  s3Put: confirmed(0.005e-3, "PUT request", S3, S3_LIST),
  snsPublish: confirmed(0.5e-6, "publish of up to 64 KB", "https://aws.amazon.com/sns/pricing/", REPOSITORIES),
  kmsKeyMonth: confirmed(
    1,
    "key and month; a rotation adds another, twice at most",
    KMS,
    "a stored copy of AWS's KMS page, undated",
  ),
  kmsRequest: confirmed(0.03e-4, "request", KMS, "factualminds.com, 2026-06-13"),
  logsGb: confirmed(0.5, "GB of logs taken in", CLOUDWATCH, "factualminds.com, 2026-06-13"),
  metricMonth: confirmed(0.3, "metric and month, first 10,000", CLOUDWATCH, "signoz.io, 2026-02-15"),
  alarmMonth: confirmed(0.1, "alarm and month, standard resolution", CLOUDWATCH, "a public workshop page, undated"),
  dashboardMonth: confirmed(3, "dashboard and month", CLOUDWATCH, "factualminds.com, 2026-06-13"),
  apiRequest: confirmed(
    1e-6,
    "HTTP API request, first 300 million a month",
    "https://aws.amazon.com/api-gateway/pricing/",
    REPOSITORIES,
  ),
  trace: confirmed(
    5e-6,
    "trace recorded",
    "https://aws.amazon.com/xray/pricing/",
    "a stored copy of AWS's X-Ray page, undated",
  ),
  scheduledCall: confirmed(
    1e-6,
    "call of a schedule",
    "https://aws.amazon.com/eventbridge/pricing/",
    "cloudburn.io, “Amazon EventBridge Pricing”, 2026-03-13",
  ),
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
