// The architecture picture, from docs/architecture.dot, once for light and once for dark pages.
//
// What must always hold: the same text gives the same bytes on every machine, so nothing of the machine is asked: Graphviz runs
// as WebAssembly with the font metrics that it brings along. A colour of the source is a name that both palettes have.

import { instance } from "@viz-js/viz";
import { textOf } from "../repository.ts";

export const SOURCE = "docs/architecture.dot";

export type Palette = Readonly<Record<string, string>>;

export const LIGHT: Palette = {
  ink: "#1f2328",
  quiet: "#59636e",
  line: "#8c959f",
  flow: "#424a53",
  card: "#ffffff",
  outside: "#f6f8fa",
  ground: "#ddf4ff",
  function: "#fff8c5",
  derived: "#dafbe1",
  failure: "#ffebe9",
  failure_line: "#b3261e",
};

export const DARK: Palette = {
  ink: "#e6edf3",
  quiet: "#a3adb8",
  line: "#6e7681",
  flow: "#b1bac4",
  card: "#161b22",
  outside: "#21262d",
  ground: "#0c2d4d",
  function: "#3b2f0b",
  derived: "#12361f",
  failure: "#4b1113",
  failure_line: "#ff9b93",
};

/** The source with the names of colours replaced; a name that the palette does not have is a mistake in the source. */
export function coloured(source: string, palette: Palette): string {
  return source.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const colour = palette[name];
    if (colour === undefined) throw new Error(`${SOURCE} asks for the colour {${name}}, which is in no palette`);
    return colour;
  });
}

/** What Graphviz draws; its own notes about itself are left out, and the title, which would show up as a tooltip. */
export async function picture(palette: Palette): Promise<string> {
  const graphviz = await instance();
  const svg = graphviz.renderString(coloured(textOf(SOURCE), palette), { format: "svg", engine: "dot" });
  return svg
    .replace(/^[\s\S]*?(?=<svg)/, "")
    .replace(/<!--[\s\S]*?-->\n?/g, "")
    .replace(/<title>[^<]*<\/title>\n?/g, "")
    .replace("<svg ", '<svg role="img" aria-label="The architecture of wattstream on AWS and on one machine" ');
}
