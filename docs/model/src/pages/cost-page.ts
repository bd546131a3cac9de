// docs/cost.md.
//
// What must always hold: every figure of the page is computed here from the model; the text holds none that could go stale.

import { bill, PARTS, totalUsd, usdOf } from "../bill.ts";
import { coldShare, readUnitsPerReading, writeUnits, writeUnitsPerReading } from "../consumer.ts";
import { billTable } from "../cost-table.ts";
import { type Fleet, fleet, MODES, readingsPerMonth, readingsPerS } from "../fleet.ts";
import { ASSUMED, MEASURED } from "../measured.ts";
import { BATCH_LOG_BYTES, metricCount } from "../observability.ts";
import { PRICES, PRICES_REGION, PRICES_TAKEN } from "../prices.ts";
import { KB, READING_BYTES, READING_STORED_BYTES } from "../sizes.ts";
import { STACK } from "../stack.ts";
import { recordOf } from "../stream.ts";
import { DAY_S, formatDuration, HOUR_S, MINUTE_S } from "../time.ts";
import { figure, grouped, percent, precise, type Row, table, textTable, usd, wrapped } from "./markdown.ts";

const SIZES = [10, 100, 1_000, 10_000, 100_000, 1_000_000] as const;
const INTERVALS_S = [1, 5, 15].map((minutes) => minutes * MINUTE_S);

const TYPICAL = fleet({ sites: 1_000 });
const LARGE = fleet({ sites: 100_000 });
const HUGE = fleet({ sites: 1_000_000, intervalS: MINUTE_S });

function monthUsd(told: Partial<Fleet>): number {
  return totalUsd(bill(fleet(told)));
}

/** The stage dev of infra-cdk: a simulator whose fleet sends all at once, and little else. */
const DEV = fleet({
  sites: 12,
  intervalS: MINUTE_S,
  arrivalS: 1,
  mode: "provisioned",
  retentionS: 2 * DAY_S,
  historyMonths: 1,
  apiRequestsPerMonth: 10_000,
});

/** Sites that keep their readings for an hour and send them together. */
const HOURLY = { uploadS: HOUR_S, isAggregated: true } as const;

function bySize(): string {
  const rows = INTERVALS_S.flatMap((intervalS) => SIZES.map((sites) => sizeRow(sites, intervalS)));
  return table(
    [
      "sites, interval",
      "readings/s",
      "on-demand",
      "provisioned",
      "on-demand, hourly",
      "provisioned, hourly",
      "a site, cheapest",
    ],
    rows,
  );
}

function sizeRow(sites: number, intervalS: number): Row {
  const costs = [{}, HOURLY].flatMap((how) => MODES.map((mode) => monthUsd({ sites, intervalS, mode, ...how })));
  const rate = readingsPerS(fleet({ sites, intervalS }));
  return [
    `${grouped(sites)}, ${formatDuration(intervalS)}`,
    figure(rate),
    ...costs.map(usd),
    `$${figure(Math.min(...costs) / sites)}`,
  ];
}

/** The ways in which readings get into records, and what the stream costs with each. */
function byPacking(of: Fleet): string {
  const ways: readonly (readonly [string, Partial<Fleet>])[] = [
    ["each reading by itself, as it is metered", {}],
    ["an hour's readings at once, not aggregated", { uploadS: HOUR_S, isAggregated: false }],
    ["an hour's readings at once, aggregated", HOURLY],
    ["a day's readings at once, aggregated", { uploadS: DAY_S, isAggregated: true }],
  ];
  return table(
    ["a site sends", "readings a record", "bytes a record", "stream, on-demand", "stream, provisioned"],
    ways.map(([name, how]) => packingRow(name, { ...of, arrivalS: of.intervalS, ...how })),
  );
}

function packingRow(name: string, told: Partial<Fleet>): Row {
  const [onDemand, provisioned] = MODES.map((mode) =>
    partUsd(fleet({ ...told, arrivalS: told.uploadS ?? 0, mode }), "stream"),
  );
  const record = recordOf(fleet({ ...told, arrivalS: told.uploadS ?? 0 }));
  return [name, figure(record.readings), figure(record.bytes), usd(onDemand ?? 0), usd(provisioned ?? 0)];
}

function partUsd(of: Fleet, part: (typeof PARTS)[number]): number {
  return totalUsd(bill(of).filter((line) => line.part === part));
}

function byPart(): string {
  const fleets = SIZES.map((sites) => fleet({ sites }));
  const rows = PARTS.map((part) => [part, ...fleets.map((of) => percent(partUsd(of, part) / totalUsd(bill(of))))]);
  return table(["part", ...SIZES.map(grouped)], rows);
}

/** What can be turned, how, and what it saves. */
interface Knob {
  readonly what: string;
  readonly how: string;
  readonly savedUsd: (of: Fleet) => number;
}

function changed(what: string, how: string, told: Partial<Fleet>): Knob {
  return { what, how, savedUsd: (of) => totalUsd(bill(of)) - totalUsd(bill(fleet({ ...of, ...told }))) };
}

const PROVISIONED_TABLES_USE = 0.7;

function savedByProvisionedTables(of: Fleet): number {
  const writes = bill(of).filter((line) => line.price === "dynamoDbWriteUnit");
  const units = writes.reduce((sum, line) => sum + line.quantity, 0);
  return totalUsd(writes) - (units * PRICES.dynamoDbWriteUnitHour.usd) / (HOUR_S * PROVISIONED_TABLES_USE);
}

const QUARTER_HOURLY = { intervalS: 15 * MINUTE_S, uploadS: 15 * MINUTE_S, arrivalS: 15 * MINUTE_S } as const;

const KNOBS: readonly Knob[] = [
  changed("a quarter of the history", "`--history 3`, and something that deletes older rows: nothing does yet", {
    historyMonths: 3,
  }),
  {
    what: `provisioned tables that scale by themselves, at ${percent(PROVISIONED_TABLES_USE)} use`,
    how: "no setting yet: infra-cdk makes on-demand tables",
    savedUsd: savedByProvisionedTables,
  },
  changed("readings every 15 minutes instead of 5", "`--interval 15m`", QUARTER_HOURLY),
  {
    what: "no point-in-time recovery: the archive can bring every table back",
    how: "`pointInTimeRecoveryEnabled` in infra-cdk's tables",
    savedUsd: (of) => lineUsd(of, "dynamoDbRecoveryGbMonth"),
  },
  changed("sites send an hour's readings at once", "`--upload 1h`", HOURLY),
  changed("batches that wait for 10 s instead of 1", "`--window 10s`; a reading is seen up to 10 s later", {
    windowS: 10,
  }),
  changed("provisioned shards", "`--mode provisioned`; somebody counts them", { mode: "provisioned" }),
  changed("a day of retention instead of seven", "`--retention 1d`; less time to mend what Lambda gave up", {
    retentionS: DAY_S,
  }),
];

function knobs(fleets: readonly Fleet[]): string {
  const [, largest = TYPICAL] = fleets;
  const inOrder = [...KNOBS].sort((one, other) => other.savedUsd(largest) - one.savedUsd(largest));
  const head = fleets.map((of) => `${grouped(of.sites)} sites, of ${usd(totalUsd(bill(of)))}`);
  const rows = inOrder.map(({ what, how, savedUsd }) => [what, how, ...fleets.map((of) => usd(savedUsd(of)))]);
  return textTable(["what", "how", ...head], rows);
}

function lineUsd(of: Fleet, price: keyof typeof PRICES): number {
  return totalUsd(bill(of).filter((line) => line.price === price));
}

function largest(of: Fleet, count: number): string {
  const lines = [...bill(of)].sort((one, other) => usdOf(other) - usdOf(one)).slice(0, count);
  const total = totalUsd(bill(of));
  return lines.map((line) => `${line.what} (${percent(usdOf(line) / total)})`).join(", ");
}

function prices(): string {
  const rows = Object.values(PRICES).map((price) => [
    price.unit,
    `$${Number(price.usd.toPrecision(6)) < 1e-3 ? `${Number((price.usd * 1e6).toPrecision(9))} a million` : price.usd}`,
    `[${new URL(price.page).pathname
      .split("/")
      .filter((part) => part !== "pricing" && part !== "")
      .join(" ")}](${price.page})`,
    price.isConfirmed ? price.source : `**not confirmed**: ${price.source}`,
  ]);
  return textTable(["unit", "price", "page of AWS", "read in"], rows);
}

export function costPage(): string {
  const units = writeUnits(LARGE);
  const firehosePerMillion = (Math.ceil(READING_BYTES / (5 * KB)) * 5 * KB * 1e6 * PRICES.firehoseGb.usd) / KB ** 3;
  const perMillion = (of: Fleet) => (totalUsd(bill(of)) / readingsPerMonth(of)) * 1e6;
  return wrapped(`# What it costs

What a month on AWS costs, by a calculator that is part of this repository: [\`docs/model\`](model/README.md). \`npm run pages\` there writes this
page, \`npm test\` fails when it is not current. For a fleet of one's own:

\`\`\`sh
cd docs/model && npm ci
npm run cost -- --sites 250 --interval 5m --mode provisioned
\`\`\`

Prices are those of ${PRICES_REGION}, put together on ${PRICES_TAKEN} without a way to AWS's own list: [the last table](#the-prices) says of each where
it was read, and which ones nobody has confirmed. Free allowances are left out, so small fleets pay less. Nothing here was ever compared with a
bill: write units, processor time and sizes are measured or computed, times on the network and the behaviour of Lambda are
[assumed](#what-is-assumed).

## By fleet

A month, in dollars: the stream in either mode, with sites that send each reading as it is metered, and with sites that send an hour's readings at
once. **Only the second can be aggregated**: an aggregate holds the readings of one site and one append ([decision 9](decisions/0009-aggregation.md)),
and a reading that is alone is sent as it is. In every case: prod with ${STACK.retentionS / DAY_S} days of retention, ${TYPICAL.historyMonths} months of history,
${TYPICAL.anomalousShare * 100}% of anomalous readings, ${grouped(TYPICAL.apiRequestsPerMonth)} requests to the API, uploads spread evenly.

${bySize()}

## One fleet in detail

1,000 sites, a reading every 5 minutes, on-demand: \`npm run cost -- --sites 1000\`. Lines below half a cent are left out.

${billTable(TYPICAL)}

The stage dev, with its ${DEV.sites} simulated sites, comes to ${usd(totalUsd(bill(DEV)))} a month: ${largest(DEV, 3)}.
Whoever is not looking at it can take it down ([deploying.md](deploying.md)).

## What dominates

Parts of the bill by fleet size, at 5 minutes, on-demand:

${byPart()}

- A small fleet pays for being there: of 10 sites, the largest lines are ${largest(fleet({ sites: 10 }), 3)}. ${metricCount()} metrics at
  $${PRICES.metricMonth.usd} are what the functions report when all is well; one on-demand stream is ${usd(PRICES.kinesisStreamHour.usd * 730)} before the first record.
- A large fleet pays for its rows: of 100,000 sites, ${largest(LARGE, 4)}. A reading takes ${READING_STORED_BYTES} bytes in DynamoDB, and nothing
  deletes rows: each month adds its own to the bill of all later ones.
- A million readings cost $${figure(perMillion(LARGE))} at 100,000 sites. ${precise(writeUnitsPerReading(LARGE))} write units a reading are $${figure(writeUnitsPerReading(LARGE) * PRICES.dynamoDbWriteUnit.usd * 1e6)} of
  that. Firehose is $${figure(firehosePerMillion)}, because it counts each reading of ${READING_BYTES} bytes as 5 KB; gzip, KPL or larger buffers change nothing about that.
- The functions hardly count: ${usd(partUsd(LARGE, "functions"))} of ${usd(totalUsd(bill(LARGE)))} at 100,000 sites.

## What makes it cheaper

What each change saves by itself, at 5 minutes and on-demand:

${knobs([TYPICAL, LARGE])}

Besides: fewer metrics and alarms, no traces. \`wattstream up\` on one machine costs none of it.

## Aggregation

What the stream alone costs for 10,000 sites at 5 minutes, by how readings get into records:

${byPacking(fleet({ sites: 10_000 }))}

On-demand counts each record as at least 1 KB, a provisioned stream each as at least 25 KB of payload but at so little that its shards are what
one pays. So on-demand gains most from records that are full. The Kinesis Producer Library would also pack readings of different sites
together, which would bring the first row close to the third; why wattstream does not is decision 9.

## The formula in words

For a fleet of \`sites\`, a metering \`interval\`, uploads every \`upload\`; a month has 730 hours.

- **Readings** = sites ÷ interval × month. **Records** = readings ÷ readings a record; a record holds what a site sends at once, up to 51,200 bytes,
  or one reading.
- **Stream, on-demand** = hours × stream-hour + GB in × (in + ${2} × out), each record rounded up to 1 KB and read twice (consumer, Firehose)
  + GB in for each day kept after the first × extended retention. **Provisioned** = shards × hours × (shard + extended retention) + PUT units. Shards =
  the larger of records/s ÷ 1,000 and bytes/s ÷ 1 MB, at ${percent(ASSUMED.shardUse)} use.
- **Batches** = one a window (${TYPICAL.windowS} s) and shard while records arrive, more when a batch is full (${grouped(STACK.batchRecords)} records or 6 MB), never more than there are
  records.
- **Write units a reading** = 1 (row) + interval ÷ hour (the closed hour's row) + the same for the snapshot + 1 ÷ readings a batch (the
  mark of the shard) + anomalous share × (1 index + 1 snapshot + 2 alerts ÷ ${ASSUMED.readingsPerEpisode} readings an episode). At 5 minutes and 100 sites a shard that
  is 1 + 2 ÷ 12 + 1 ÷ 100 = 1.177, and 1.043 at 1 minute: what [performance.md](performance.md) has measured, ${MEASURED.writeUnits5Minutes} and ${MEASURED.writeUnits1Minute}. For
  100,000 sites it is ${Object.values(units).map(precise).join(" + ")} = ${precise(writeUnitsPerReading(LARGE))}.
- **Read units a reading** = 1 ÷ readings a batch, and 2 for each site whose state is not in the instance's memory: ${figure(readUnitsPerReading(LARGE))} for 100,000 sites.
  **Check of silent sites** = checks × sites × (1 snapshot + 2 × the share that it has to make sure of): half of all sites at 5 minutes.
- **History** = readings × months × (row + its part of an hour's row) × (storage + recovery). Of the archive: readings × ${READING_BYTES} bytes × months ÷
  ${ASSUMED.archiveCompression} (gzip).
- **Functions** = calls + GB-seconds. A batch takes 2 requests for the mark, ceil(writes ÷ 25) for rows and hours and one a snapshot, ${16} at a time, each of
  ${ASSUMED.dynamoDbRequestS * 1_000} ms, and the processor time of records and requests on ${STACK.consumerMemoryMb} MB, which is ${percent(STACK.consumerMemoryMb / ASSUMED.memoryMbPerVcpu)} of a vCPU.
- **Logs** = batches × ${grouped(BATCH_LOG_BYTES)} bytes of embedded metrics and ${ASSUMED.platformLogBytes} of Lambda's own lines. **Traces** = one call a second, and ${percent(ASSUMED.traceShare)} of the others.

## What is assumed

- A request to DynamoDB takes ${ASSUMED.dynamoDbRequestS * 1_000} ms and ${ASSUMED.requestCpuS * 1_000} ms of processor time. If it were three times that, the functions would still hardly count.
- n instances at work: a batch finds its states in memory in one case of n. Lambda says nothing about which instance it takes. It matters
  where more than one is busy: at a million sites and a minute, ${percent(coldShare(HUGE))} of the batches would load their states, two read units a site.
- Whether Firehose counts 5 KB for a reading or for an aggregate: AWS's page says record. The dearer reading is taken; the other makes the hourly
  columns cheaper by up to Firehose's share.
- Whether extended retention is counted by the bytes of a record or by its rounded size: the dearer, rounded.
- An archive's line compresses to a fifth; real lines do better. Requests to the API read ${ASSUMED.readUnitsPerApiRequest} units and take ${ASSUMED.apiRequestS * 1_000} ms.
- Sites that send an hour's readings at once are given two hours of patience by the check of silent sites; with the usual six intervals they would
  look silent in between.
- No On-demand Advantage: it pays from about 10 MiB/s in, which is ${grouped((10 * KB * KB) / KB)} records a second.
- The queues hold what fails: a fleet that is well asks them nothing. What carries alerts on from the topic, such as mail, is not counted.
- The archive stays in the Standard class here; infra-cdk moves old objects to cheaper ones.
- No traffic to the internet, no taxes, no support, no savings plans.

## The prices

${prices()}
`);
}
