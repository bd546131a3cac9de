// The second bundle: the charts for files, as one script that needs no other. `npm run build:charts` writes it; the program embeds it, so it
// is committed, and a test sees to it that it is the one of these sources.

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  // In library mode vite leaves it in place, and no browser has it.
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  build: {
    target: "es2022",
    outDir: "charts",
    emptyOutDir: true,
    reportCompressedSize: false,
    lib: { entry: "src/files/main.ts", formats: ["iife"], name: "wattstreamCharts", fileName: () => "charts.js" },
  },
});
