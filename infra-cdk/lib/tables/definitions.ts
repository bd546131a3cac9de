// The keys and indexes of the tables, from shared/aws/tables.json: the file that the functions are tested with.

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const TABLES = ["readings", "hours", "sites", "shards", "alerts", "silences"] as const;
export type TableName = (typeof TABLES)[number];

export interface KeyDefinition {
  readonly name: string;
  readonly type: "S" | "N";
}

export interface IndexDefinition {
  readonly name: string;
  readonly partition_key: KeyDefinition;
  readonly sort_key?: KeyDefinition;
  readonly projection: "ALL" | "KEYS_ONLY";
}

export interface TableDefinition {
  readonly name: TableName;
  readonly partition_key: KeyDefinition;
  readonly sort_key?: KeyDefinition;
  readonly indexes?: readonly IndexDefinition[];
}

const FILE = join(__dirname, "../../../shared/aws/tables.json");

/** The definition of each table. */
export function tableDefinitions(): readonly TableDefinition[] {
  const definitions = JSON.parse(readFileSync(FILE, "utf8")) as readonly TableDefinition[];
  const found = definitions.map((definition) => definition.name).sort();
  if (found.join() !== [...TABLES].sort().join()) {
    throw new Error(
      `${FILE} defines ${found.join(", ")}; the app knows ${TABLES.join(", ")}: add what is new to TABLES`,
    );
  }
  return definitions;
}
