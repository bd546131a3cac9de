// What calls the operators. What must always hold: an alarm has a heading in docs/runbook.md and a heading has an alarm.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type JsonObject, onlyResource, type Placed, resourcesOfType, textOf } from "./template";
import { VARIANT_NAMES, VARIANTS, type VariantName } from "./variants";

const RUNBOOK = readFileSync(join(__dirname, "../../docs/runbook.md"), "utf8");

function alarmsOf(variant: VariantName): readonly Placed[] {
  return resourcesOfType(variant, "AWS::CloudWatch::Alarm");
}

/** The name of an alarm without its stage. */
function headingOf(alarm: Placed): string {
  return String(alarm.Properties["AlarmName"]).replace(`wattstream-${VARIANTS[alarm.variant].stage}-`, "");
}

/** The sections of the runbook that are about an alarm, by heading. */
function sections(): ReadonlyMap<string, string> {
  const parts = RUNBOOK.split(/^### /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n"))]));
}

test("every alarm has a section in the runbook, and every section an alarm", () => {
  const alarms = new Set(VARIANT_NAMES.flatMap((variant) => alarmsOf(variant).map(headingOf)));
  expect([...sections().keys()].sort()).toEqual([...alarms].sort());
});

test.each([...sections()])("the section %s says what it means, where to look, what to do and what not", (_, text) => {
  for (const part of ["**Means.**", "**Look.**", "**Do.**", "**Do not.**"]) {
    expect(text).toContain(part);
  }
  expect(text.split("**Look.**")[1]).toMatch(/```sh|`[A-Za-z]/);
});

test("what the runbook links to is there", () => {
  const headings = [...RUNBOOK.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? "")
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replace(/ /g, "-"),
  );
  const targets = [...RUNBOOK.matchAll(/\]\(#([\w-]+)\)/g)].map(([, target]) => target);
  expect(targets.filter((target) => !headings.includes(target ?? ""))).toEqual([]);
});

describe.each(VARIANT_NAMES)("in %s", (variant) => {
  test("an alarm calls the operators when it begins and when it is over, and says where it is explained", () => {
    for (const alarm of alarmsOf(variant)) {
      const { AlarmActions, OKActions, AlarmDescription } = alarm.Properties;
      for (const actions of [AlarmActions, OKActions]) {
        expect((actions as readonly JsonObject[]).map(textOf)).toEqual([expect.stringMatching(/OperationsTopic/)]);
      }
      expect(AlarmDescription).toBe(`docs/runbook.md#${headingOf(alarm)}`);
    }
  });

  test("no alarm computes: one metric, one threshold, and a decision on what missing data means", () => {
    for (const { Properties } of alarmsOf(variant)) {
      expect(Properties["Metrics"]).toBeUndefined();
      expect(Properties["MetricName"]).toBeDefined();
      expect(["notBreaching", "breaching", "ignore"]).toContain(Properties["TreatMissingData"]);
    }
  });

  test("the dashboard has a row for each service", () => {
    const { DashboardBody } = onlyResource(variant, "AWS::CloudWatch::Dashboard").Properties;
    const rows = [...JSON.stringify(DashboardBody).matchAll(/## ([\w ]+)/g)].map(([, title]) => title);
    const simulator = variant.startsWith("prod") ? [] : ["Simulator"];
    expect(rows).toEqual([
      ...simulator,
      "Stream",
      "Stream consumer",
      "Dead letters",
      "Tables",
      "Silent sites",
      "Alerts",
      "API",
      "Archive",
    ]);
  });
});

/** What each alarm watches: metric, statistic, period in seconds, threshold, periods, and what no data means. */
const WATCHED: Readonly<Record<string, readonly [string, string, number, number, string, string]>> = {
  "stream-writes-throttled": ["WriteProvisionedThroughputExceeded", "Sum", 60, 1, "5 of 10", "notBreaching"],
  "readings-table-throttled": ["WriteThrottleEvents", "Sum", 60, 1, "5 of 10", "notBreaching"],
  "hours-table-throttled": ["WriteThrottleEvents", "Sum", 60, 1, "5 of 10", "notBreaching"],
  "sites-table-throttled": ["WriteThrottleEvents", "Sum", 60, 1, "5 of 10", "notBreaching"],
  "archive-delivers-late": ["DeliveryToS3.DataFreshness", "Maximum", 300, 900, "3 of 3", "notBreaching"],
  "archive-reads-late": ["KinesisMillisBehindLatest", "Maximum", 300, 3_600_000, "3 of 3", "notBreaching"],
  "dead-letters-arrive": ["NumberOfMessagesSent", "Sum", 300, 1, "1 of 4", "notBreaching"],
  "consumer-lags": ["IteratorAge", "Maximum", 60, 300_000, "10 of 10", "ignore"],
  "consumer-far-behind": ["IteratorAge", "Maximum", 60, 43_200_000, "3 of 3", "ignore"],
  "consumer-stands-still": ["Invocations", "Sum", 300, 1, "6 of 6", "breaching"],
  "consumer-errors": ["Errors", "Sum", 60, 1, "3 of 5", "notBreaching"],
  "consumer-throttled": ["Throttles", "Sum", 60, 1, "3 of 5", "notBreaching"],
  "consumer-near-timeout": ["Duration", "Maximum", 300, 48_000, "2 of 3", "notBreaching"],
  "batches-given-up": ["ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, "1 of 1", "ignore"],
  "alerts-not-published": ["wattstream_alert_publish_failures_total", "Sum", 300, 1, "3 of 3", "notBreaching"],
  "silent-sites-calls-failed": ["ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, "1 of 1", "ignore"],
  "silent-sites-not-called": ["Invocations", "Sum", 300, 1, "3 of 3", "breaching"],
  "simulator-calls-failed": ["ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, "1 of 1", "ignore"],
  "simulator-not-called": ["Invocations", "Sum", 60, 1, "3 of 3", "breaching"],
  "api-fails": ["5xx", "Sum", 300, 5, "2 of 3", "notBreaching"],
  "api-slow": ["Latency", "p95", 300, 3_000, "3 of 3", "notBreaching"],
};

test("each alarm watches what the table says", () => {
  const watched = alarmsOf("dev").map((alarm) => {
    const it = alarm.Properties;
    const periods = `${String(it["DatapointsToAlarm"])} of ${String(it["EvaluationPeriods"])}`;
    const statistic = it["Statistic"] ?? it["ExtendedStatistic"];
    return [
      headingOf(alarm),
      [it["MetricName"], statistic, it["Period"], it["Threshold"], periods, it["TreatMissingData"]],
    ];
  });
  expect(Object.fromEntries(watched)).toEqual(WATCHED);
});

test("a metric that a function reports is one of docs/metrics.md", () => {
  const metrics = readFileSync(join(__dirname, "../../docs/metrics.md"), "utf8");
  const own = VARIANT_NAMES.flatMap(alarmsOf).filter(({ Properties }) => Properties["Namespace"] === "wattstream");
  expect(own.length).toBeGreaterThan(0);
  for (const { Properties } of own) {
    // The one dimension that the function gives it, its own name; one with labels would have more, and no alarm would see it.
    expect(Properties["Dimensions"]).toEqual([
      { Name: "function", Value: { Ref: expect.stringMatching(/^StreamConsumer/) } },
    ]);
    expect(metrics).toMatch(new RegExp(`\`${String(Properties["MetricName"])}\` \\| \\w+ \\| \\w+ \\|  \\|`));
  }
});
