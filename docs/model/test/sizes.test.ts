// Sizes, against the forms that the repository documents.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ASSUMED } from "../src/measured.ts";
import { textOf } from "../src/repository.ts";
import {
  AGGREGATE_BYTES_MAX,
  aggregateBytes,
  HOUR_ITEM,
  type Item,
  itemBytes,
  KEY_BYTES,
  READING_BYTES,
  READING_ITEM,
  readingsPerAggregate,
  TYPICAL_READING,
} from "../src/sizes.ts";

/** The examples of docs/tables.md, which the tests of the crate check against what it writes. */
function documentedItems(): readonly Item[] {
  const blocks = textOf("docs/tables.md").match(/```json\n[\s\S]*?\n```/g) ?? [];
  return blocks.map((block) => JSON.parse(block.slice(7, -3)) as Item);
}

function documentedItem(key: string): Item {
  const found = documentedItems().find((item) => key in item);
  assert.ok(found, `docs/tables.md has no example with ${key}`);
  return found;
}

describe("an item", () => {
  test("counts names, texts, numbers and collections as the developer guide does", () => {
    assert.equal(itemBytes({ ab: { S: "é" } }), 2 + 2);
    assert.equal(itemBytes({ n: { N: "-12.345" } }), 1 + 3 + 1);
    assert.equal(itemBytes({ b: { BOOL: true } }), 2);
    assert.equal(itemBytes({ b: { B: "AAAA" } }), 1 + 3);
    assert.equal(itemBytes({ m: { M: { x: { N: "1" } } } }), 1 + 3 + 1 + 2 + 1);
    assert.equal(itemBytes({ l: { L: [{ S: "xy" }] } }), 1 + 3 + 1 + 2);
  });

  test("of a reading and of an hour has the attributes that docs/tables.md says", () => {
    assert.deepEqual(Object.keys(READING_ITEM), Object.keys(documentedItem("timestamp")));
    assert.deepEqual(Object.keys(HOUR_ITEM), Object.keys(documentedItem("hour")));
  });

  test("of a reading is one write unit", () => assert.ok(itemBytes(READING_ITEM) < 1_024));
});

describe("a reading on the stream", () => {
  test("is that of the README", () => assert.ok(textOf("README.md").includes(TYPICAL_READING)));

  test("with its kind compresses in the archive to a fifth or less", () => {
    const kwh = (seed: number) => (((seed * 7_919) % 2_000) / 100).toFixed(2);
    const line = (index: number) =>
      `{"site_id":"site-${index % 97}-pv-farm","timestamp":"2025-06-20T${String(Math.floor(index / 97 / 12) % 24).padStart(2, "0")}:` +
      `${String((Math.floor(index / 97) % 12) * 5).padStart(2, "0")}:00Z","energy_generated_kwh":${kwh(index)},"energy_consumed_kwh":${kwh(index * 3 + 1)}}\n`;
    const lines = Array.from({ length: 20_000 }, (_, index) => line(index)).join("");
    const ratio = lines.length / gzipSync(lines).length;
    assert.ok(ratio >= ASSUMED.archiveCompression, `lines of random energies compress only ${ratio.toFixed(1)} times`);
  });
});

describe("an aggregate", () => {
  test("of two readings of three bytes and a key of one, byte by byte", () => {
    // 4 magic, 16 digest; key table: tag, length, 1; each record: tag, length, key index 2, data tag, length, 3.
    assert.equal(aggregateBytes(2, 3, 1), 4 + 16 + 3 + 2 * (2 + 2 + 2 + 3));
  });

  test("writes lengths above 127 in two bytes", () => {
    assert.equal(aggregateBytes(1, 200, 1) - aggregateBytes(1, 100, 1), 100 + 2);
  });

  test("is filled to 51,200 bytes and not beyond", () => {
    const readings = readingsPerAggregate(READING_BYTES, KEY_BYTES);
    assert.ok(aggregateBytes(readings, READING_BYTES, KEY_BYTES) <= AGGREGATE_BYTES_MAX);
    assert.ok(aggregateBytes(readings + 1, READING_BYTES, KEY_BYTES) > AGGREGATE_BYTES_MAX);
  });
});
