// How the page is built. What must always hold: the bundle in dist/ is committed, so that cargo needs no Node.js; its names are fixed,
// because services/query-api/src/routes/page.rs serves exactly these; the same sources give the same bytes.

import { defineConfig } from "vite";

/** A process to ask while the page is worked on: `API=http://127.0.0.1:8080 npm run dev`. */
const api = process.env["API"] ?? "http://127.0.0.1:8080";
const API_PATHS = [
  "/sites",
  "/series",
  "/summary",
  "/records",
  "/anomalies",
  "/episodes",
  "/alerts",
  "/live",
  "/readings",
  "/docs",
  "/healthz",
];

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    // The one script is 200 kB compressed, most of it ECharts; test/bundle says what is too much.
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      output: { entryFileNames: "page.js", assetFileNames: "page[extname]", codeSplitting: false },
    },
  },
  server: { proxy: Object.fromEntries(API_PATHS.map((path) => [path, api])) },
});
