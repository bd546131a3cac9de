// What the charts and ECharts need of a browser, for an engine that has none of it: QuickJS, with which `wattstream charts` draws. What must
// always hold: numbers read as they do in a browser; where a browser has its own, this changes nothing.

interface Options {
  maximumFractionDigits?: number;
}

/** Numbers as `en-GB` has them: a comma between thousands, no zero at the end. */
export class PlainNumberFormat {
  readonly #digits: number;

  constructor(_locale: string, { maximumFractionDigits = 3 }: Options = {}) {
    this.#digits = maximumFractionDigits;
  }

  format(value: number): string {
    const [whole = "", fraction = ""] = Math.abs(value).toFixed(this.#digits).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    const kept = fraction.replace(/0+$/, "");
    return `${value < 0 || Object.is(value, -0) ? "-" : ""}${grouped}${kept === "" ? "" : `.${kept}`}`;
  }
}

const define = (name: string, value: unknown) => {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value });
};

define("Intl", { NumberFormat: PlainNumberFormat });
// ECharts asks for the next frame of its animations. A picture has one frame, and it is drawn at once.
define("setTimeout", () => 0);
define("clearTimeout", () => undefined);
