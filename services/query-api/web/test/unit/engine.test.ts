import { expect, test } from "vitest";
import { PlainNumberFormat } from "../../src/files/engine";

test("numbers read as they do in a browser", () => {
  const values = [0, -0, 1, 9.999, 12.5, 123.456, 999.95, 1_234.5, 12_345_678.9, -0.25, -1_234.567, 0.0004, 0.00004];
  for (const maximumFractionDigits of [0, 1, 2, 4]) {
    const [ours, theirs] = [PlainNumberFormat, Intl.NumberFormat].map((Form) => {
      const format = new Form("en-GB", { maximumFractionDigits });
      return values.map((value) => format.format(value));
    });
    expect(ours).toEqual(theirs);
  }
});
