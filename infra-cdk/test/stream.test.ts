// The stream.

import { onlyResource, templateOf } from "./template";

test("in dev the stream is one shard that keeps readings for two days", () => {
  templateOf("dev", "data").hasResourceProperties("AWS::Kinesis::Stream", {
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    ShardCount: 1,
    RetentionPeriodHours: 48,
  });
});

test("in prod the stream grows with its traffic and keeps readings for a week", () => {
  templateOf("prod", "data").hasResourceProperties("AWS::Kinesis::Stream", {
    StreamModeDetails: { StreamMode: "ON_DEMAND" },
    RetentionPeriodHours: 168,
  });
  expect(onlyResource("prod", "AWS::Kinesis::Stream").Properties["ShardCount"]).toBeUndefined();
});

test.each(["dev", "prod"] as const)(
  "(not shown by a local AWS) in %s the stream is encrypted with the key of the stage",
  (variant) => {
    const key = onlyResource(variant, "AWS::KMS::Key").id;
    templateOf(variant, "data").hasResourceProperties("AWS::Kinesis::Stream", {
      StreamEncryption: { EncryptionType: "KMS", KeyId: { "Fn::GetAtt": [key, "Arn"] } },
    });
  },
);

test("the stream of dev goes with its stack, that of prod stays", () => {
  expect(onlyResource("dev", "AWS::Kinesis::Stream").DeletionPolicy).toBe("Delete");
  expect(onlyResource("prod", "AWS::Kinesis::Stream").DeletionPolicy).toBe("RetainExceptOnCreate");
  expect(onlyResource("prod", "AWS::Kinesis::Stream").UpdateReplacePolicy).toBe("Retain");
});
