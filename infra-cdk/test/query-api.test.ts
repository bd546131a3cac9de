// The API behind API Gateway.

import { type JsonObject, onlyResource, resourcesOfType, templateOf, textOf } from "./template";

const STAGES = ["dev", "prod"] as const;

describe.each(STAGES)("in %s", (variant) => {
  test("every route asks for a signature, but the one that tells whether the API is alive", () => {
    const routes = resourcesOfType(variant, "AWS::ApiGatewayV2::Route").map(({ Properties }) => [
      Properties["RouteKey"],
      Properties["AuthorizationType"],
    ]);
    expect(Object.fromEntries(routes)).toEqual({ $default: "AWS_IAM", "GET /healthz": "NONE" });
  });

  test("there is one stage, which is limited and counted by route", () => {
    const rate = variant === "dev" ? 20 : 100;
    expect(onlyResource(variant, "AWS::ApiGatewayV2::Stage").Properties).toMatchObject({
      StageName: "$default",
      AutoDeploy: true,
      DefaultRouteSettings: {
        ThrottlingRateLimit: rate,
        ThrottlingBurstLimit: 2 * rate,
        DetailedMetricsEnabled: true,
      },
    });
  });

  test("a request is logged as JSON, without headers and without its query", () => {
    const { AccessLogSettings } = onlyResource(variant, "AWS::ApiGatewayV2::Stage").Properties as JsonObject;
    const { Format, DestinationArn } = AccessLogSettings as JsonObject;
    const fields = JSON.parse(String(Format)) as Record<string, string>;
    expect(Object.keys(fields)).toEqual(
      expect.arrayContaining([
        "requestId",
        "time",
        "caller",
        "method",
        "path",
        "status",
        "latencyMs",
        "authorizerError",
      ]),
    );
    expect(Object.values(fields).join()).not.toMatch(/header|query|\$context\.identity\.accessKey/i);
    expect(textOf(DestinationArn)).toMatch(/QueryApiAccessLog/);
  });

  test("API Gateway alone may call the function, and for this API only", () => {
    const api = onlyResource(variant, "AWS::ApiGatewayV2::Api").id;
    const permissions = resourcesOfType(variant, "AWS::Lambda::Permission");
    expect(permissions.length).toBeGreaterThan(0);
    for (const { Properties } of permissions) {
      expect(Properties["Principal"]).toBe("apigateway.amazonaws.com");
      expect(textOf(Properties["SourceArn"])).toContain(`:<${api}>/`);
    }
  });

  test("the function gives up before API Gateway does", () => {
    const { Timeout } = onlyResource(variant, "AWS::Lambda::Function", "QueryApi").Properties;
    // services/query-api/src/state.rs: REQUEST_TIMEOUT is 25 s; API Gateway waits for 30 s.
    expect(Timeout).toBeGreaterThan(25);
    expect(Timeout).toBeLessThan(30);
  });

  test("events are of the version that the function reads", () => {
    expect(onlyResource(variant, "AWS::ApiGatewayV2::Integration").Properties).toMatchObject({
      PayloadFormatVersion: "2.0",
      IntegrationType: "AWS_PROXY",
    });
  });

  test("no other site's page may ask the API", () => {
    expect(onlyResource(variant, "AWS::ApiGatewayV2::Api").Properties["CorsConfiguration"]).toBeUndefined();
  });
});

test("with an issuer, tokens of it for these audiences take the place of signatures", () => {
  templateOf("prod-jwt", "compute").hasResourceProperties("AWS::ApiGatewayV2::Authorizer", {
    AuthorizerType: "JWT",
    IdentitySource: ["$request.header.Authorization"],
    JwtConfiguration: { Issuer: "https://issuer.example/", Audience: ["wattstream", "reports"] },
  });
  const routes = resourcesOfType("prod-jwt", "AWS::ApiGatewayV2::Route").map(({ Properties }) => [
    Properties["RouteKey"],
    Properties["AuthorizationType"],
  ]);
  expect(Object.fromEntries(routes)).toEqual({ $default: "JWT", "GET /healthz": "NONE" });
});

test("the pages of named origins may read and change nothing", () => {
  templateOf("prod-jwt", "compute").hasResourceProperties("AWS::ApiGatewayV2::Api", {
    CorsConfiguration: {
      AllowOrigins: ["https://energy.example.com", "http://localhost:3000"],
      AllowMethods: ["GET", "HEAD"],
      AllowHeaders: ["authorization", "if-none-match", "x-amz-date", "x-amz-security-token", "x-request-id"],
      ExposeHeaders: ["etag", "link", "retry-after", "x-request-id"],
      MaxAge: 3600,
    },
  });
});
