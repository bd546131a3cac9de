// The tables.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IndexDefinition, TableDefinition } from "../lib/tables/definitions";
import { type JsonObject, listOf, onlyResource, type Placed, resourcesOfType } from "./template";

const DEFINITIONS = JSON.parse(
  readFileSync(join(__dirname, "../../shared/aws/tables.json"), "utf8"),
) as readonly TableDefinition[];

function tableOf(variant: "dev" | "prod", name: string): Placed {
  return onlyResource(variant, "AWS::DynamoDB::Table", `Tables${name.charAt(0).toUpperCase()}${name.slice(1)}`);
}

/** The schema of a table or an index, as tables.json writes it. */
function keysOf(
  schema: JsonObject,
  attributes: readonly JsonObject[],
): Pick<IndexDefinition, "partition_key" | "sort_key"> {
  const keys = listOf(schema["KeySchema"]).map((key) => {
    const { AttributeName: name, KeyType: kind } = key as { AttributeName: string; KeyType: string };
    const type = attributes.find((attribute) => attribute["AttributeName"] === name)?.["AttributeType"];
    return [kind === "HASH" ? "partition_key" : "sort_key", { name, type }];
  });
  return Object.fromEntries(keys) as Pick<IndexDefinition, "partition_key" | "sort_key">;
}

function definitionOf(table: Placed, name: string): unknown {
  const attributes = listOf(table.Properties["AttributeDefinitions"]) as readonly JsonObject[];
  const indexes = listOf(table.Properties["GlobalSecondaryIndexes"]).map((index) => {
    const { IndexName, Projection } = index as { IndexName: string; Projection: { ProjectionType: string } };
    return { name: IndexName, ...keysOf(index as JsonObject, attributes), projection: Projection.ProjectionType };
  });
  return { name, ...keysOf(table.Properties, attributes), ...(indexes.length > 0 && { indexes }) };
}

describe.each(["dev", "prod"] as const)("in %s", (variant) => {
  test("there is a table for each definition of shared/aws/tables.json, with its keys and indexes, and no other", () => {
    expect(DEFINITIONS.map(({ name }) => definitionOf(tableOf(variant, name), name))).toEqual(DEFINITIONS);
    expect(resourcesOfType(variant, "AWS::DynamoDB::Table")).toHaveLength(DEFINITIONS.length);
  });

  test("a table is paid by the request and encrypted with the key of the stage", () => {
    const key = onlyResource(variant, "AWS::KMS::Key").id;
    for (const { Properties } of resourcesOfType(variant, "AWS::DynamoDB::Table")) {
      expect(Properties).toMatchObject({
        BillingMode: "PAY_PER_REQUEST",
        SSESpecification: { SSEEnabled: true, SSEType: "KMS", KMSMasterKeyId: { "Fn::GetAtt": [key, "Arn"] } },
      });
    }
  });

  test("(not shown by a local AWS) no item expires by itself", () => {
    for (const { Properties } of resourcesOfType(variant, "AWS::DynamoDB::Table")) {
      expect(Properties["TimeToLiveSpecification"]).toBeUndefined();
    }
  });
});

test.each([
  ["dev", false, "Delete"],
  ["prod", true, "RetainExceptOnCreate"],
] as const)(
  "(not shown by a local AWS) in %s, protection and recovery to a point in time are %s, and the stack's end means: %s",
  (variant, isKept, policy) => {
    for (const table of resourcesOfType(variant, "AWS::DynamoDB::Table")) {
      expect(table.Properties["DeletionProtectionEnabled"]).toBe(isKept);
      expect(table.Properties["PointInTimeRecoverySpecification"]).toEqual({ PointInTimeRecoveryEnabled: isKept });
      expect([table.DeletionPolicy, table.UpdateReplacePolicy]).toEqual([
        policy,
        policy === "Delete" ? "Delete" : "Retain",
      ]);
    }
  },
);
