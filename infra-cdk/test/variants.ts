// The app in all of its variants, as templates in cdk.out/all: for the tests, and for tools that read templates. What must always
// hold: no variant needs a built function, credentials or a network.

import { rmSync } from "node:fs";
import { join } from "node:path";
import cdk from "../cdk.json";
import { makeApp } from "../lib/app";
import type { StageName } from "../lib/settings";

export interface Variant {
  readonly stage: StageName;
  readonly context: Readonly<Record<string, string>>;
}

export const VARIANTS = {
  dev: { stage: "dev", context: {} },
  prod: { stage: "prod", context: {} },
  "prod-jwt": {
    stage: "prod",
    context: {
      "jwt-issuer": "https://issuer.example/",
      "jwt-audiences": "wattstream,reports",
      "cors-origins": "https://energy.example.com,http://localhost:3000",
      email: "operators@example.com",
    },
  },
  local: { stage: "dev", context: { endpoint: "http://127.0.0.1:4566", architecture: "x86_64" } },
} as const satisfies Readonly<Record<string, Variant>>;

export type VariantName = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[];

/** What stands in for the built functions. */
export const STUB_FUNCTIONS = join(__dirname, "functions");

/** Where the templates of a variant are. */
export function outputOf(variant: VariantName): string {
  return join(__dirname, "../cdk.out/all", variant);
}

/** The context of a variant, as the command line would hand it over. */
export function contextOf(variant: VariantName): Readonly<Record<string, unknown>> {
  const { stage, context } = VARIANTS[variant];
  return { ...cdk.context, functions: STUB_FUNCTIONS, stage, ...context };
}

/** Writes the templates of a variant. */
export function synthesise(variant: VariantName): void {
  const outdir = outputOf(variant);
  rmSync(outdir, { recursive: true, force: true });
  makeApp({ context: contextOf(variant), outdir }).synth();
}
