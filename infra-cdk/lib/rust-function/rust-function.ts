// What every function of ours is: a Rust binary that Lambda starts as it is. What must always hold: a function has a log group
// and a role of its own, and the role may do nothing but write that log and its traces until the service that the function is
// part of allows more; synthesis never compiles.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Duration, Validations } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  type IDestination,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import { removalPolicyOf, type Settings } from "../settings";

/** The functions, by the names of their binaries. */
export const FUNCTIONS = ["stream-consumer", "silent-sites", "query-api", "simulator"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export interface RustFunctionProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly name: FunctionName;
  readonly description: string;
  readonly memoryMiB: number;
  readonly timeout: Duration;
  readonly variables: Readonly<Record<string, string>>;
  /** What Lambda does with calls that it was given to make by itself, when they fail. */
  readonly asynchronousCalls?: AsynchronousCalls;
}

export interface AsynchronousCalls {
  readonly retries: number;
  readonly ageMax: Duration;
  /** Where a call goes that failed every time. */
  readonly afterLast: IDestination;
}

export class RustFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly timeout: Duration;

  constructor(scope: Construct, id: string, props: RustFunctionProps) {
    super(scope, id);
    const { settings, name } = props;
    this.timeout = props.timeout;
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/wattstream/${settings.stage}/${name}`,
      retention: settings.logRetention,
      encryptionKey: props.dataKey.key,
      removalPolicy: removalPolicyOf(settings),
    });
    this.role = this.makeRole(name, logGroup);
    this.function = new LambdaFunction(this, "Function", {
      functionName: functionNameOf(settings, name),
      description: props.description,
      runtime: Runtime.PROVIDED_AL2023,
      handler: "bootstrap",
      code: Code.fromAsset(builtFunction(settings, name)),
      architecture: settings.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: props.memoryMiB,
      timeout: props.timeout,
      role: this.role,
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: { ...props.variables, WATTSTREAM_LOG: "info", ...localAwsVariables(settings) },
    });
    this.configureAsynchronousCalls(props.asynchronousCalls);
  }

  /** A metric that the function itself reports: docs/metrics.md. */
  ownMetric(metricName: string, period: Duration): Metric {
    return new Metric({
      namespace: "wattstream",
      metricName,
      dimensionsMap: { function: this.function.functionName },
      statistic: "Sum",
      period,
    });
  }

  private configureAsynchronousCalls(calls: AsynchronousCalls | undefined): void {
    if (calls === undefined) {
      return;
    }
    this.function.configureAsyncInvoke({
      retryAttempts: calls.retries,
      maxEventAge: calls.ageMax,
      onFailure: calls.afterLast,
    });
  }

  private makeRole(name: FunctionName, logGroup: LogGroup): Role {
    const role = new Role(this, "Role", {
      description: `The function ${name} of wattstream`,
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    });
    // Lambda names the streams of a log; one that writes anywhere else does not exist.
    allow(role, { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [logGroup.logGroupArn] });
    Validations.of(role).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "X-Ray takes traces for the account, and knows no resource that a permission could name.",
    });
    return role;
  }
}

/** The name of a function of a stage. */
export function functionNameOf(settings: Settings, name: FunctionName): string {
  return `wattstream-${settings.stage}-${name}`;
}

/** The folder that is uploaded as the function. */
function builtFunction(settings: Settings, name: FunctionName): string {
  const folder = join(settings.functionsDirectory, name);
  if (!existsSync(join(folder, "bootstrap"))) {
    throw new Error(
      `there is no built function ${name} in ${folder}: \`cargo xtask lambda\` builds them; ` +
        "`-c functions=test/functions` takes what stands in for them where nothing is deployed",
    );
  }
  return folder;
}

/** Where a local AWS answers. The functions do not take an endpoint from the environment unless this allows it. */
function localAwsVariables(settings: Settings): Record<string, string> {
  return settings.localEndpoint === undefined
    ? {}
    : { AWS_ENDPOINT_URL: settings.localEndpoint, WATTSTREAM_ALLOW_ENDPOINT_OVERRIDE: "1" };
}
