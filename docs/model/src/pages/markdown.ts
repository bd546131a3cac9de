// Tables and figures as the pages write them.

export type Row = readonly string[];

/** A table; the first column is text, the others are figures. */
export function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  const rule = line(head.map((_, column) => (column === 0 ? "---" : "--:")));
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** A table of text alone. */
export function textTable(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Whole with thousands apart, or three significant digits below ten. */
export function figure(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) < 10) return String(Number(value.toPrecision(2)));
  return grouped(value < 1_000 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** Dollars of a month: cents below ten dollars, three digits above a thousand. */
export function usd(value: number): string {
  if (value < 10) return `$${value.toFixed(2)}`;
  return `$${grouped(value < 1_000 ? Math.round(value) : Number(value.toPrecision(3)))}`;
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function percent(share: number): string {
  return share > 0 && share < 0.01 ? "< 1%" : `${Math.round(share * 100)}%`;
}

/** How long something takes, for people. */
export function lasting(seconds: number): string {
  if (seconds < 1) return `${figure(seconds * 1_000)} ms`;
  if (seconds < 120) return `${figure(seconds)} s`;
  if (seconds < 7_200) return `${figure(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${figure(seconds / 3_600)} h`;
  return `${figure(seconds / 86_400)} days`;
}

/** Shares and units that lie close together. */
export function precise(value: number): string {
  return String(Number(value.toFixed(value < 0.1 ? 4 : 3)));
}

const WIDTH = 130;

/** Lines that are broken anew together, or a line that stays as it is. */
interface Block {
  readonly isProse: boolean;
  readonly lines: string[];
}

/** Breaks the lines of prose anew; tables, headings and code stay as they are. */
export function wrapped(markdown: string): string {
  let isCode = false;
  const blocks: Block[] = [];
  for (const line of markdown.split("\n")) {
    const isFence = line.startsWith("```");
    const isProse = !isCode && !isFence && line !== "" && !/^[#|]/.test(line);
    if (isFence) isCode = !isCode;
    const last = blocks.at(-1);
    if (isProse && !line.startsWith("- ") && last?.isProse) last.lines.push(line.trim());
    else blocks.push({ isProse, lines: [line] });
  }
  return blocks.flatMap(({ isProse, lines }) => (isProse ? filled(lines.join(" ")) : lines)).join("\n");
}

function filled(text: string): readonly string[] {
  const indent = text.startsWith("- ") ? "  " : "";
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
