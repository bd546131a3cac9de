// The archive: its bucket, and Firehose, which writes it.

import { type JsonObject, onlyResource, resourcesOfType, statementsOf, templateOf } from "./template";

const STAGES = ["dev", "prod"] as const;

describe.each(STAGES)("in %s", (variant) => {
  const delivery = (): JsonObject =>
    onlyResource(variant, "AWS::KinesisFirehose::DeliveryStream").Properties[
      "ExtendedS3DestinationConfiguration"
    ] as JsonObject;

  test("no part of the bucket can be public", () => {
    templateOf(variant, "data").hasResourceProperties("AWS::S3::Bucket", {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
  });

  test("objects have versions and are encrypted with the key of the stage", () => {
    const key = onlyResource(variant, "AWS::KMS::Key").id;
    templateOf(variant, "data").hasResourceProperties("AWS::S3::Bucket", {
      VersioningConfiguration: { Status: "Enabled" },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: { "Fn::GetAtt": [key, "Arn"] } },
          },
        ],
      },
    });
  });

  test("the bucket answers over TLS 1.2 or later only", () => {
    const refusals = statementsOf(variant).filter(
      ({ of, Effect }) => of.Type === "AWS::S3::BucketPolicy" && Effect === "Deny",
    );
    expect(refusals.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      ["s3:*", { Bool: { "aws:SecureTransport": "false" } }],
      ["s3:*", { NumericLessThan: { "s3:TlsVersion": 1.2 } }],
    ]);
  });

  test("(not shown by a local AWS) raw bytes move to cheaper storage and are never deleted by a rule", () => {
    const { LifecycleConfiguration } = onlyResource(variant, "AWS::S3::Bucket").Properties;
    const { Rules } = LifecycleConfiguration as unknown as { Rules: readonly JsonObject[] };
    expect(Rules.map((rule) => [rule["Id"], rule["Status"]])).toEqual([
      ["hardly-ever-read", "Enabled"],
      ["leftovers", "Enabled"],
    ]);
    expect(Rules[0]).toMatchObject({
      Prefix: "raw/",
      Transitions: [
        { StorageClass: "STANDARD_IA", TransitionInDays: 30 },
        { StorageClass: "GLACIER_IR", TransitionInDays: 90 },
      ],
    });
    expect(Rules[1]).toMatchObject({
      NoncurrentVersionExpiration: { NoncurrentDays: 30 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    });
    for (const rule of Rules) {
      expect(rule["ExpirationInDays"]).toBeUndefined();
    }
  });

  test("Firehose reads the stream of readings", () => {
    const stream = onlyResource(variant, "AWS::Kinesis::Stream").id;
    templateOf(variant, "data").hasResourceProperties("AWS::KinesisFirehose::DeliveryStream", {
      DeliveryStreamType: "KinesisStreamAsSource",
      KinesisStreamSourceConfiguration: { KinesisStreamARN: { "Fn::GetAtt": [stream, "Arn"] } },
    });
  });

  test("objects are in the folder of their hour, as the reader of the archive expects it, in UTC", () => {
    expect(delivery()["Prefix"]).toBe(
      "raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/",
    );
    expect(delivery()["CustomTimeZone"]).toBeUndefined();
  });

  test("what could not be written is apart from what was, by the kind of the failure", () => {
    expect(delivery()["ErrorOutputPrefix"]).toMatch(/^errors\/!\{firehose:error-output-type\}\/year=/);
  });

  test("(not shown by a local AWS) objects are gzipped lines, buffered for five minutes", () => {
    expect(delivery()).toMatchObject({
      CompressionFormat: "GZIP",
      BufferingHints: { IntervalInSeconds: 300, SizeInMBs: 64 },
      ProcessingConfiguration: {
        Enabled: true,
        Processors: [{ Type: "AppendDelimiterToRecord" }],
      },
    });
  });

  test("Firehose tells its errors in a log of the stage", () => {
    expect(delivery()["CloudWatchLoggingOptions"]).toMatchObject({ Enabled: true });
    templateOf(variant, "data").hasResourceProperties("AWS::Logs::LogGroup", {
      LogGroupName: `/wattstream/${variant}/archive`,
    });
  });
});

test("the bucket of dev is emptied and deleted with its stack, that of prod stays", () => {
  expect(onlyResource("dev", "AWS::S3::Bucket").DeletionPolicy).toBe("Delete");
  expect(resourcesOfType("dev", "Custom::S3AutoDeleteObjects")).toHaveLength(1);
  expect(onlyResource("prod", "AWS::S3::Bucket").DeletionPolicy).toBe("RetainExceptOnCreate");
  expect(resourcesOfType("prod", "Custom::S3AutoDeleteObjects")).toEqual([]);
});

test("a local AWS, which cannot run the library's function, has none", () => {
  expect(resourcesOfType("local", "Custom::S3AutoDeleteObjects")).toEqual([]);
});
