// The check of silent sites: what it reads and how long it takes, over all sites, again and again.
//
// A site that uploads seldom needs a longer patience (`WATTSTREAM_SILENT_AFTER`), or it looks silent in between: here it is
// taken to have been given two uploads' worth.
//
// What must always hold: it follows shared/engine/src/silence_watch.rs. Up to 500 sites are read exactly; of more, the
// snapshots are looked at, and every site whose snapshot is older than its patience is made sure of by two reads.

import type { Fleet } from "./fleet.ts";
import { LIMITS } from "./limits.ts";
import { ASSUMED } from "./measured.ts";
import { KB, KEY_BYTES } from "./sizes.ts";
import { STACK } from "./stack.ts";
import { HOUR_S, MONTH_S } from "./time.ts";

/** A read unit reads up to so much, consistently; an index, which never is, twice that. */
const READ_UNIT_BYTES = 4 * KB;

/** An entry of the index of all sites: two keys and their names. */
const INDEX_ENTRY_BYTES = KEY_BYTES + "site_id".length + "fleet".length + 2;

const KEYS_PER_BATCH_GET = 100;
const READS_TO_MAKE_SURE = 2;

export const CHECKS_PER_MONTH = MONTH_S / STACK.silenceCheckS;

/** The share of sites, on average over an hour, whose snapshot is older than the silence that the check waits for. */
export function shareMadeSureOf(fleet: Fleet): number {
  if (fleet.sites <= LIMITS.sitesExact.value) return 0;
  const snapshotAgeMaxS = Math.max(HOUR_S, fleet.uploadS);
  const patienceS = Math.max(STACK.silentAfterIntervals * fleet.intervalS, 2 * fleet.uploadS);
  return Math.max(0, 1 - patienceS / snapshotAgeMaxS);
}

export function readUnitsPerCheck(fleet: Fleet): number {
  const listing = (fleet.sites * INDEX_ENTRY_BYTES) / READ_UNIT_BYTES / 2;
  const snapshots = fleet.sites;
  const tails = fleet.sites <= LIMITS.sitesExact.value ? fleet.sites : 0;
  const sure = fleet.sites * shareMadeSureOf(fleet) * READS_TO_MAKE_SURE;
  return listing + snapshots + tails + sure;
}

/** The check at the end of the hour, when nearly every snapshot is old: the longest. */
export function longestCheckS(fleet: Fleet): number {
  const snapshots = fleet.sites / KEYS_PER_BATCH_GET / LIMITS.requestsInFlight.value;
  const makesSure =
    shareMadeSureOf(fleet) > 0 ? (fleet.sites * READS_TO_MAKE_SURE) / LIMITS.confirmationsAtOnce.value : 0;
  const tails = fleet.sites <= LIMITS.sitesExact.value ? fleet.sites / LIMITS.requestsInFlight.value : 0;
  return (snapshots + makesSure + tails) * ASSUMED.dynamoDbRequestS;
}

/** A check on average: some make sure of all sites and some of none. */
export function meanCheckS(fleet: Fleet): number {
  const share = shareMadeSureOf(fleet);
  const without = longestCheckS({ ...fleet, intervalS: HOUR_S, uploadS: HOUR_S });
  return share * longestCheckS(fleet) + (1 - share) * without;
}
