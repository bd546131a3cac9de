// The templates that the tests read.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Template } from "aws-cdk-lib/assertions";
import { outputOf, VARIANTS, type VariantName } from "./variants";

export type StackPart = "data" | "compute";
export const STACK_PARTS = ["data", "compute"] as const;

/** A value of a template. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export interface Resource {
  readonly Type: string;
  readonly Properties: JsonObject;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

interface TemplateFile {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, JsonObject>>;
}

function read(variant: VariantName, part: StackPart): TemplateFile {
  const file = `wattstream-${VARIANTS[variant].stage}-${part}.template.json`;
  return JSON.parse(readFileSync(join(outputOf(variant), file), "utf8")) as TemplateFile;
}

/** The template of a stack, for assertions. */
export function templateOf(variant: VariantName, part: StackPart): Template {
  return Template.fromJSON(read(variant, part));
}

/** A resource, and where it is. */
export interface Placed extends Resource {
  readonly variant: VariantName;
  readonly part: StackPart;
  readonly id: string;
}

/** Every resource of both stacks. */
export function resourcesOf(variant: VariantName): readonly Placed[] {
  return STACK_PARTS.flatMap((part) =>
    Object.entries(read(variant, part).Resources).map(([id, resource]) => ({ ...resource, variant, part, id })),
  );
}

/** The resources of a type. */
export function resourcesOfType(variant: VariantName, type: string): readonly Placed[] {
  return resourcesOf(variant).filter((resource) => resource.Type === type);
}

/** The one resource of a type whose id begins so. */
export function onlyResource(variant: VariantName, type: string, idPrefix = ""): Placed {
  const found = resourcesOfType(variant, type).filter((resource) => resource.id.startsWith(idPrefix));
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${variant}: ${found.length} resources of ${type} begin with "${idPrefix}", not one`);
  }
  return found[0];
}

/** The outputs of a stack, by name. */
export function outputsOf(variant: VariantName, part: StackPart): readonly string[] {
  return Object.keys(read(variant, part).Outputs ?? {});
}

/** One statement of a policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource?: Json;
  readonly Principal?: JsonObject | string;
  readonly Condition?: JsonObject;
}

const POLICIES = ["PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy"] as const;
export type PolicyKind = (typeof POLICIES)[number];

export interface PlacedStatement extends Statement {
  readonly of: Placed;
  readonly kind: PolicyKind;
}

/** Every statement of every policy. */
export function statementsOf(variant: VariantName): readonly PlacedStatement[] {
  return resourcesOf(variant).flatMap((resource) =>
    POLICIES.flatMap((kind) => {
      const document = resource.Properties[kind] as { readonly Statement: readonly Statement[] } | undefined;
      return (document?.Statement ?? []).map((statement) => ({ ...statement, of: resource, kind }));
    }),
  );
}

export function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) {
    return [];
  }
  return Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
}

/**
 * A value as text, with references as the ids they name: `arn:aws:...` of a joined name, `<ArchiveBucket.Arn>/raw/*` of an
 * attribute and a text, `<import of Stream.Arn>` of another stack's.
 */
export function textOf(value: Json | undefined): string {
  if (value === null || value === undefined || typeof value !== "object") {
    return String(value ?? "");
  }
  const { Ref: ref, "Fn::GetAtt": attribute, "Fn::Join": joined, "Fn::ImportValue": imported } = value as JsonObject;
  if (ref !== undefined) {
    return `<${ref}>`;
  }
  if (attribute !== undefined) {
    return `<${listOf(attribute).join(".")}>`;
  }
  if (imported !== undefined) {
    return `<${importedName(String(imported))}>`;
  }
  if (joined !== undefined) {
    const [separator, parts] = joined as readonly [string, readonly Json[]];
    return parts.map(textOf).join(separator);
  }
  return JSON.stringify(value);
}

/**
 * `Stream862536A4.Arn` of `wattstream-dev-data:ExportsOutputFnGetAttStream862536A4Arn22664C11`: without the hash of the export.
 */
function importedName(exported: string): string {
  const [, kind, name] = /ExportsOutput(FnGetAtt|Ref)(\w+)\w{8}$/.exec(exported) ?? [];
  return kind === "FnGetAtt" ? (name ?? exported).replace(/([0-9A-F]{8})(\w+)$/, "$1.$2") : (name ?? exported);
}
