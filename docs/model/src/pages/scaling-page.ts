// docs/scaling.md.
//
// What must always hold: every figure of the page is computed here from the model; the text holds none that could go stale.

import { recordsPerInvocation } from "../consumer.ts";
import { type Fleet, fleet } from "../fleet.ts";
import { LIMITS } from "../limits.ts";
import { ASSUMED } from "../measured.ts";
import {
  archiveBytesPerS,
  archiveObjectBytes,
  atTheStroke,
  type Backlog,
  backfill,
  inOrder,
  metBy,
  needs,
  recovery,
  type Threshold,
} from "../scaling.ts";
import { AGGREGATE_BYTES_MAX, KEY_BYTES, READING_BYTES, readingsPerAggregate } from "../sizes.ts";
import { STACK } from "../stack.ts";
import { recordOf } from "../stream.ts";
import { HOUR_S, MINUTE_S } from "../time.ts";
import { figure, grouped, lasting, type Row, table, textTable, wrapped } from "./markdown.ts";

const SIZES = [100, 10_000, 1_000_000] as const;
const INTERVALS_S = [1, 5, 15].map((minutes) => minutes * MINUTE_S);
const USUAL_S = 5 * MINUTE_S;
const BACKFILL_DAYS = 30;

function needsTable(): string {
  const fleets = INTERVALS_S.flatMap((intervalS) => SIZES.map((sites) => fleet({ sites, intervalS })));
  return table(
    [
      "sites, interval",
      "readings/s",
      "shards",
      "on-demand",
      "at the stroke",
      "readings a batch",
      "a call",
      "at once",
      "write units/s",
      "at the hour",
    ],
    fleets.map(needsRow),
  );
}

function needsRow(of: Fleet): Row {
  const need = needs(of);
  return [
    `${grouped(of.sites)}, ${of.intervalS / MINUTE_S}m`,
    figure(need.readingsPerS),
    figure(need.provisionedShards),
    figure(need.onDemandShards),
    figure(atTheStroke(of).shards),
    figure(need.readingsPerBatch),
    lasting(need.invocationMs / 1_000),
    figure(need.concurrency),
    figure(need.writeUnitsPerS),
    figure(need.writeUnitsPerSAtTheHour),
  ];
}

function sitesCell(threshold: Threshold, intervalS: number): string {
  const sites = threshold.sites(intervalS);
  return Number.isFinite(sites) ? grouped(Number(sites.toPrecision(2))) : "never";
}

function thresholdsTable(): string {
  const rows = inOrder(USUAL_S).map((threshold) => [
    threshold.what,
    ...INTERVALS_S.map((intervalS) => sitesCell(threshold, intervalS)),
    threshold.isHard ? "stops" : "degrades",
    threshold.remedy,
  ]);
  return textTable(["limit", "1m", "5m", "15m", "beyond", "what to do"], rows);
}

function firstMet(sites: number): string {
  const of = fleet({ sites, intervalS: USUAL_S });
  const met = metBy(of);
  if (met.length === 0) return " nothing.";
  const lines = met.map(
    (threshold) => `- **${sitesCell(threshold, USUAL_S)} sites**: ${threshold.what}. ${capital(threshold.remedy)}.`,
  );
  return `\n\n${lines.join("\n")}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function next(sites: number): string {
  const [first] = inOrder(USUAL_S).filter((threshold) => threshold.sites(USUAL_S) >= sites);
  return first === undefined ? "nothing that is known" : `at ${sitesCell(first, USUAL_S)} sites, ${first.what}`;
}

function section(sites: number): string {
  const of = fleet({ sites });
  const need = needs(of);
  return `### ${grouped(sites)} sites

${figure(need.readingsPerS)} readings/s, ${figure(need.provisionedShards)} provisioned ${need.provisionedShards === 1 ? "shard" : "shards"}, ${figure(need.concurrency)} consumers busy on average, ${figure(need.writeUnitsPerS)} write units/s
(${figure(need.writeUnitsPerSAtTheHour)} in the first five minutes of an hour), ${lasting(need.checkS)} for the longest check of silent sites. An archive object holds
${figure(archiveObjectBytes(of) / 1_000_000)} MB of lines, written every ${lasting(archiveObjectBytes(of) / archiveBytesPerS(of))}.

What is met on the way there:${firstMet(sites)}

Next: ${next(sites)}.
`;
}

function backlogTable(of: (sites: number) => readonly (readonly [string, Backlog])[]): string {
  const rows = SIZES.flatMap((sites) => of(sites).map(([name, backlog]) => backlogRow(name, backlog)));
  return table(["sites, how", "readings", "stream/s", "consumer/s", "tables/s", "slowest", "takes"], rows);
}

function backlogRow(name: string, backlog: Backlog): Row {
  const { stream, consumer, tables } = backlog.rates;
  return [
    name,
    figure(backlog.readings),
    ...[stream, consumer, tables].map(figure),
    backlog.slowest,
    lasting(backlog.seconds),
  ];
}

function recoveries(sites: number): readonly (readonly [string, Backlog])[] {
  const how = (mode: Fleet["mode"]) => recovery(fleet({ sites, mode }), HOUR_S);
  return [
    [`${grouped(sites)}, provisioned`, how("provisioned")],
    [`${grouped(sites)}, on-demand`, how("on-demand")],
  ];
}

function backfills(sites: number): readonly (readonly [string, Backlog])[] {
  const how = (mode: Fleet["mode"]) => backfill(fleet({ sites, mode }), BACKFILL_DAYS);
  return [
    [`${grouped(sites)}, provisioned`, how("provisioned")],
    [`${grouped(sites)}, on-demand`, how("on-demand")],
  ];
}

function limitsTable(): string {
  const rows = Object.values(LIMITS).map(({ value, unit, stated }) => [
    grouped(value),
    unit,
    stated.includes("/src/") ? `\`${stated}\`` : stated,
  ]);
  return textTable(["limit", "of what", "stated in"], rows);
}

export function scalingPage(): string {
  const single = recordsPerInvocation(READING_BYTES);
  const full = recordsPerInvocation(AGGREGATE_BYTES_MAX);
  const perAggregate = readingsPerAggregate(READING_BYTES, KEY_BYTES);
  const hourly = recordOf(fleet({ uploadS: HOUR_S }));
  return wrapped(`# How it scales

What a fleet needs of AWS and which limit it meets first, worked out by the model behind [the cost page](cost.md)
([\`docs/model\`](model/README.md): \`npm run pages\` writes this page, \`npm test\` fails when it is not current).

**None of it was measured on AWS.** Sizes, requests, write units and the processor time of a record are measured
([performance.md](performance.md)) or follow from the forms; limits are AWS's own words; the time of a request (${ASSUMED.dynamoDbRequestS * 1_000} ms) and everything that
Lambda, Kinesis and DynamoDB decide for themselves is assumed. [What nobody has seen yet](#what-nobody-has-seen-yet) is at the end.

## What a fleet needs

Sites send each reading by itself, spread evenly over the interval; *at the stroke* are the provisioned shards if all of them came within a minute.
A shard is used to ${ASSUMED.shardUse * 100}% at most. *At the hour* is the first interval of an hour, when every site closes one: its row, its hour and its snapshot.
The three go to three tables, so each table sees a third.

${needsTable()}

- **Shards.** Kinesis takes 1,000 records and 1 MB a second and shard. A single reading is ${READING_BYTES} bytes, so records are the limit by far; of
  hourly uploads at 5 minutes, with ${hourly.readings} readings and ${grouped(hourly.bytes)} bytes a record, a shard takes ${figure(1_000 * 0.7 * hourly.readings)} readings a second instead of 700.
- **Batches.** The setting is ${grouped(STACK.batchRecords)} records. In practice a batch is what a window of ${STACK.batchWindowS} s brings, and at most 6 MB with base64 and envelope:
  ${grouped(single)} single readings, or ${full} full aggregates of ${perAggregate} readings, which are ${grouped(full * perAggregate)} readings in one call.
- **Concurrency.** One consumer a shard: \`ParallelizationFactor\` stays 1, because it would gain nothing before a shard's consumer is busy all the time.
- **Write units.** On-demand tables need no setting, but begin at ${grouped(LIMITS.onDemandTableStartWritesPerS.value)} writes a second each and take twice their peak at once.
- **Keys.** Tables are partitioned by site. One site's partition takes ${grouped(LIMITS.partitionWritesPerS.value)} write units a second: a live site needs one in minutes.

## Where each limit is met

The largest fleet below each limit, by interval; the order is that of 5 minutes. *Stops* means that something fails or falls behind until somebody
acts; *degrades* that it gets late or coarse, and goes on.

${thresholdsTable()}

## Three fleets

At 5 minutes.

${SIZES.map(section).join("\n")}
## After an outage of an hour

The consumer stood still for an hour and readings went on arriving, every 5 minutes. What bounds the way back, in readings a second:
the stream (2 MB/s a shard, half of it left to Firehose), the consumers (full batches), or the tables (twice the fleet's own rate, and
${grouped(LIMITS.onDemandTableStartWritesPerS.value)} in any case).

${backlogTable(recoveries)}

While it catches up, readings are late by what is left of the backlog, and nothing is lost: the stream keeps ${STACK.retentionS / HOUR_S} hours. A large fleet that has never had a
higher peak needs as long as it stood still, since its tables take twice the usual and half of that is the present.

## A month of the past, all at once

A new stack, and ${BACKFILL_DAYS} days of 5-minute readings of the whole fleet: aggregated by site, as fast as they are taken. The shards are those that the live fleet needs;
the tables are new and double every half hour up to ${grouped(LIMITS.onDemandTableWritesPerS.value)} writes a second.

${backlogTable(backfills)}

- Send the sites in turns, a record each. One site after the other would put ${figure(full / Math.ceil((BACKFILL_DAYS * 288) / perAggregate))} sites into a batch, and a site's partition takes
  ${grouped(LIMITS.partitionWritesPerS.value)} write units a second.
- Set the warm throughput of the tables before, and send to more shards than the live fleet needs.
- A month of readings in a running process may open a silence and close it at once ([decision 7](decisions/0007-silent-sites.md)).
- With \`wattstream replay --from s3://…\` the same rows are made on one machine, from the archive, without any of these limits.

## What nobody has seen yet

- Any of it on AWS: no run against real Kinesis, Lambda or DynamoDB has been made. The local AWS neither throttles nor scales.
- More than one shard at full rate; more than 10,000 sites in one process; more than 16 instances of the consumer.
- Which instance Lambda gives a shard's next batch to, which decides how often states are loaded (the [cost page](cost.md#what-is-assumed) has the guess).
- Resharding an on-demand stream under load with consumers attached. Parent before child is Lambda's promise; that two shards fold one site in turns is
  tested with deliveries made by our own event source.
- The check of silent sites over more than 10,000 sites.

## The limits

${limitsTable()}
`);
}
