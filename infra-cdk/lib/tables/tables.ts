// The tables: everything that is derived from the stream. What must always hold: keys and indexes are those of
// shared/aws/tables.json; nobody may scan; no item expires by itself, because totals are counted from the rows.

import { Validations } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import {
  AttributeType,
  BillingMode,
  type GlobalSecondaryIndexProps,
  ProjectionType,
  Table,
  TableEncryption,
} from "aws-cdk-lib/aws-dynamodb";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { MINUTE } from "../operations/periods";
import { removalPolicyOf, type Settings } from "../settings";
import {
  type IndexDefinition,
  type KeyDefinition,
  TABLES,
  type TableDefinition,
  type TableName,
  tableDefinitions,
} from "./definitions";

/** What may be asked of a table. Scanning is not among it, nor is anything that one item at a time does not need. */
export type TableAction = "BatchGetItem" | "BatchWriteItem" | "GetItem" | "PutItem" | "Query";

const WRITES: readonly TableAction[] = ["BatchWriteItem", "PutItem"];

/** The tables that take a write a reading, an hour or a site: whose throttling holds the stream up. */
const BUSY_TABLES = ["readings", "hours", "sites"] as const satisfies readonly TableName[];

const WRITE_THROTTLES = "WriteThrottleEvents";

export interface TablesProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
}

export class Tables extends Construct {
  readonly dashboardRow: DashboardRow;
  private readonly tables: Readonly<Record<TableName, Table>>;
  private readonly dataKey: DataKey;

  constructor(scope: Construct, id: string, props: TablesProps) {
    super(scope, id);
    this.dataKey = props.dataKey;
    const entries = tableDefinitions().map((definition) => [definition.name, this.table(definition, props)]);
    this.tables = Object.fromEntries(entries) as Record<TableName, Table>;
    this.addAlarms(props.operations);
    this.dashboardRow = this.row();
  }

  /** The physical name of a table. */
  nameOf(table: TableName): string {
    return this.tables[table].tableName;
  }

  /** The variables by which a function knows the tables: `WATTSTREAM_READINGS_TABLE` and so on. */
  variables(): Record<string, string> {
    return Object.fromEntries(TABLES.map((table) => [`WATTSTREAM_${table.toUpperCase()}_TABLE`, this.nameOf(table)]));
  }

  /** Allows these calls on a table, and the use of the key that they need. */
  allow(grantee: IGrantable, table: TableName, ...actions: readonly TableAction[]): void {
    this.allowOn(grantee, this.tables[table].tableArn, actions);
  }

  /** Allows to query an index, and not the table that it belongs to. */
  allowQueryOf(grantee: IGrantable, table: TableName, index: string): void {
    this.allowOn(grantee, `${this.tables[table].tableArn}/index/${index}`, ["Query"]);
  }

  private allowOn(grantee: IGrantable, arn: string, actions: readonly TableAction[]): void {
    allow(grantee, { actions: actions.map((action) => `dynamodb:${action}`), resources: [arn] });
    if (actions.some((action) => WRITES.includes(action))) {
      this.dataKey.allowWriting(grantee, "dynamodb");
    } else {
      this.dataKey.allowReading(grantee, "dynamodb");
    }
  }

  private table(definition: TableDefinition, props: TablesProps): Table {
    const { settings, dataKey } = props;
    const table = new Table(this, titled(definition.name), {
      partitionKey: attributeOf(definition.partition_key),
      ...(definition.sort_key !== undefined && { sortKey: attributeOf(definition.sort_key) }),
      // What sites send comes in bursts at the ends of intervals, which provisioned capacity would have to be sized for.
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: dataKey.key,
      deletionProtection: settings.isKept,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: settings.isKept },
      removalPolicy: removalPolicyOf(settings),
    });
    for (const index of definition.indexes ?? []) {
      table.addGlobalSecondaryIndex(indexOf(index));
    }
    if (!settings.isKept) {
      Validations.of(table).acknowledge({
        id: "AwsSolutions-DDB3",
        reason: "A stage of which nothing is kept: its tables can be computed again from the archive.",
      });
    }
    return table;
  }

  private addAlarms(operations: Operations): void {
    for (const table of BUSY_TABLES) {
      operations.addAlarm(this, {
        heading: `${table}-table-throttled`,
        metric: this.metric(table, WRITE_THROTTLES),
        when: { atLeast: 1 },
        // The consumer sends again what was throttled; what does not end is a hot partition, or an account's limit.
        periods: [5, 10],
        silence: "well",
      });
    }
  }

  private row(): DashboardRow {
    // A label belongs to a graph: with one, CloudWatch would take an alarm's metric for an expression.
    const each = (metricName: string) => TABLES.map((table) => this.metric(table, metricName).with({ label: table }));
    return {
      title: "Tables",
      graphs: [
        { title: "Write units", metrics: each("ConsumedWriteCapacityUnits") },
        { title: "Read units", metrics: each("ConsumedReadCapacityUnits") },
        { title: "Throttled writes", metrics: each(WRITE_THROTTLES) },
      ],
    };
  }

  private metric(table: TableName, metricName: string): Metric {
    return new Metric({
      namespace: "AWS/DynamoDB",
      metricName,
      dimensionsMap: { TableName: this.nameOf(table) },
      statistic: "Sum",
      period: MINUTE,
    });
  }
}

function titled(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function attributeOf(key: KeyDefinition): { name: string; type: AttributeType } {
  return { name: key.name, type: key.type === "N" ? AttributeType.NUMBER : AttributeType.STRING };
}

function indexOf(index: IndexDefinition): GlobalSecondaryIndexProps {
  return {
    indexName: index.name,
    partitionKey: attributeOf(index.partition_key),
    ...(index.sort_key !== undefined && { sortKey: attributeOf(index.sort_key) }),
    projectionType: index.projection === "ALL" ? ProjectionType.ALL : ProjectionType.KEYS_ONLY,
  };
}
