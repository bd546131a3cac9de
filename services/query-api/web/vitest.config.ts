// How the tests run. What must always hold: a test of the real page has the time that a busy machine needs.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000, interval: 100 } },
    passWithNoTests: false,
  },
});
