// The API behind API Gateway. What must always hold: every route but the one that tells whether the API is alive asks who is
// there; nobody but API Gateway may call the function, which believes what the request context says of the caller.

import { Duration, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  CorsHttpMethod,
  type CorsPreflightOptions,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type HttpRoute,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer, HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { DeadLetters } from "../dead-letters/dead-letters";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { FIVE_MINUTES, MINUTE } from "../operations/periods";
import { RustFunction } from "../rust-function/rust-function";
import { type Authorization, removalPolicyOf, type Settings } from "../settings";
import type { ReadingsStream } from "../stream/readings-stream";
import type { Tables } from "../tables/tables";

/** The function gives up a request after 25 s and says so; API Gateway gives up the function after 30 s. */
const TIMEOUT = Duration.seconds(28);
/** A page of 10,000 states is 4 MB of JSON, several times in memory; more memory is more processor time, too. */
const MEMORY_MIB = 1_024;

/** What is logged of a request: who, what, how it went, how long it took. No header and no query. */
const ACCESS_LOG = {
  requestId: "$context.requestId",
  time: "$context.requestTimeEpoch",
  sourceIp: "$context.identity.sourceIp",
  caller: "$context.identity.caller",
  subject: "$context.authorizer.claims.sub",
  method: "$context.httpMethod",
  path: "$context.path",
  routeKey: "$context.routeKey",
  status: "$context.status",
  responseLength: "$context.responseLength",
  latencyMs: "$context.responseLatency",
  integrationLatencyMs: "$context.integrationLatency",
  integrationError: "$context.integrationErrorMessage",
  authorizerError: "$context.authorizer.error",
} as const;

/**
 * Lets the pages of these origins read, as services/query-api/src/cross_origin.rs does on one machine. API Gateway answers what a
 * browser asks beforehand, which carries no credentials and would not get past the authorizer.
 */
function corsOf(origins: readonly string[]): CorsPreflightOptions {
  return {
    allowOrigins: [...origins],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.HEAD],
    allowHeaders: ["authorization", "if-none-match", "x-amz-date", "x-amz-security-token", "x-request-id"],
    exposeHeaders: ["etag", "link", "retry-after", "x-request-id"],
    maxAge: Duration.hours(1),
  };
}

export interface QueryApiProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly stream: ReadingsStream;
  readonly tables: Tables;
  readonly deadLetters: DeadLetters;
}

export class QueryApi extends Construct {
  readonly url: string;
  readonly dashboardRow: DashboardRow;
  private readonly rust: RustFunction;
  private readonly api: HttpApi;
  private readonly stage: HttpStage;

  constructor(scope: Construct, id: string, props: QueryApiProps) {
    super(scope, id);
    this.rust = new RustFunction(this, "Function", {
      settings: props.settings,
      dataKey: props.dataKey,
      name: "query-api",
      description: "Answers the HTTP API",
      memoryMiB: MEMORY_MIB,
      timeout: TIMEOUT,
      variables: {
        ...props.tables.variables(),
        WATTSTREAM_STREAM: props.stream.stream.streamName,
        WATTSTREAM_DEAD_LETTERS_QUEUE_URL: props.deadLetters.queue.queueUrl,
      },
    });
    this.allowWhatItCalls(props);
    this.api = this.makeApi(props.settings);
    this.stage = this.makeStage(props);
    this.url = this.stage.url;
    this.addAlarms(props.operations);
    this.dashboardRow = this.row();
  }

  private allowWhatItCalls({ stream, tables, deadLetters }: QueryApiProps): void {
    const { role } = this.rust;
    stream.allowWriting(role, "DescribeStreamSummary", "PutRecords");
    tables.allow(role, "readings", "Query");
    tables.allowQueryOf(role, "readings", "anomalies");
    tables.allowQueryOf(role, "readings", "fleet_anomalies");
    tables.allow(role, "hours", "Query");
    tables.allow(role, "sites", "BatchGetItem");
    tables.allowQueryOf(role, "sites", "fleet");
    tables.allow(role, "alerts", "Query");
    tables.allow(role, "silences", "Query");
    deadLetters.allowReceiving(role);
  }

  private makeApi(settings: Settings): HttpApi {
    const integration = new HttpLambdaIntegration("Function", this.rust.function, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    const api = new HttpApi(this, "Api", {
      apiName: `wattstream-${settings.stage}`,
      description: "Readings, hours, anomalies and alerts of wattstream",
      createDefaultStage: false,
      // The router knows the routes; the gateway asks who is there, whatever the route.
      defaultIntegration: integration,
      defaultAuthorizer: authorizerOf(settings.authorization),
      ...(settings.corsOrigins.length > 0 && { corsPreflight: corsOf(settings.corsOrigins) }),
    });
    // What asks whether the API is alive has no credentials, and hears nothing but that.
    const [healthRoute] = api.addRoutes({
      path: "/healthz",
      methods: [HttpMethod.GET],
      integration,
      authorizer: new HttpNoneAuthorizer(),
    });
    Validations.of(healthRoute as HttpRoute).acknowledge({
      id: "AwsSolutions-APIG4",
      reason: "A probe has no credentials, and the answer says no more than that the function runs, and its version.",
    });
    return api;
  }

  private makeStage({ settings, dataKey }: QueryApiProps): HttpStage {
    const accessLog = new LogGroup(this, "AccessLog", {
      logGroupName: `/wattstream/${settings.stage}/query-api-access`,
      retention: settings.logRetention,
      encryptionKey: dataKey.key,
      removalPolicy: removalPolicyOf(settings),
    });
    return new HttpStage(this, "Stage", {
      httpApi: this.api,
      stageName: "$default",
      autoDeploy: true,
      // A burst of a page that asks for all of its parts at once.
      throttle: { rateLimit: settings.apiRequestsPerSecond, burstLimit: 2 * settings.apiRequestsPerSecond },
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
  }

  private addAlarms(operations: Operations): void {
    operations.addAlarm(this, {
      heading: "api-fails",
      metric: this.stage.metricServerError({ statistic: "Sum", period: FIVE_MINUTES }),
      // A single failure is a client's to repeat; some in a row are everybody's.
      when: { atLeast: 5 },
      periods: [2, 3],
      silence: "well",
    });
    operations.addAlarm(this, {
      heading: "api-slow",
      metric: this.stage.metricLatency({ statistic: "p95", period: FIVE_MINUTES }),
      when: { atLeast: Duration.seconds(3).toMilliseconds() },
      periods: [3, 3],
      silence: "well",
    });
  }

  private row(): DashboardRow {
    const sum = { statistic: "Sum", period: MINUTE };
    return {
      title: "API",
      graphs: [
        { title: "Requests", metrics: [this.stage.metricCount(sum)] },
        {
          title: "Refused and failed",
          metrics: [this.stage.metricClientError(sum), this.stage.metricServerError(sum)],
        },
        {
          title: "Latency",
          metrics: ["p50", "p95", "p99"].map((statistic) => this.stage.metricLatency({ statistic, period: MINUTE })),
        },
        {
          title: "Function: errors, throttles",
          metrics: [this.rust.function.metricErrors(sum), this.rust.function.metricThrottles(sum)],
        },
      ],
    };
  }
}

function authorizerOf(authorization: Authorization): IHttpRouteAuthorizer {
  return authorization.kind === "iam"
    ? new HttpIamAuthorizer()
    : new HttpJwtAuthorizer("Tokens", authorization.issuer, { jwtAudience: [...authorization.audiences] });
}
