// The settings.

import { type Settings, settingsFrom } from "../lib/settings";

function settingsOf(context: Readonly<Record<string, unknown>>): Settings {
  return settingsFrom({ tryGetContext: (key) => context[key] });
}

test("without a context it is dev, on arm64, with signed requests", () => {
  expect(settingsOf({})).toMatchObject({
    stage: "dev",
    architecture: "arm64",
    authorization: { kind: "iam" },
    isKept: false,
  });
  expect(settingsOf({}).functionsDirectory).toMatch(/target\/lambda$/);
});

test("prod keeps what it has, and has no simulator", () => {
  const prod = settingsOf({ stage: "prod" });
  expect(prod.isKept).toBe(true);
  expect(prod.fleet).toBeUndefined();
});

test("every mistake is named in one message, with what is allowed", () => {
  const context = {
    stage: "test",
    architecture: "x64",
    email: "nobody",
    endpoint: "localhost",
    "jwt-issuer": "https://a",
  };
  expect(() => settingsOf(context)).toThrow(
    "the context is not right: " +
      'stage is "test": it is one of dev, prod; ' +
      'architecture is "x64": it is one of arm64, x86_64; ' +
      "jwt-issuer and jwt-audiences go together: tokens are checked by both; " +
      'email is "nobody": it is a mail address; ' +
      'endpoint is "localhost": it is http://HOST:PORT of a local AWS, without a path',
  );
});

test("a value that says nothing is a mistake, not a default", () => {
  expect(() => settingsOf({ stage: "" })).toThrow("stage is empty or no text");
});

test("an issuer has audiences", () => {
  const settings = settingsOf({ "jwt-issuer": "https://issuer.example", "jwt-audiences": "a,b" });
  expect(settings.authorization).toEqual({ kind: "jwt", issuer: "https://issuer.example", audiences: ["a", "b"] });
});

test("an issuer without TLS is none", () => {
  expect(() => settingsOf({ "jwt-issuer": "http://issuer.example", "jwt-audiences": "a" })).toThrow("the https URL");
});

test("origins of pages are exact", () => {
  expect(settingsOf({}).corsOrigins).toEqual([]);
  const two = "https://energy.example.com,http://localhost:3000";
  expect(settingsOf({ "cors-origins": two }).corsOrigins).toEqual(two.split(","));
  for (const wrong of [
    "*",
    "https://*.example.com",
    "https://energy.example.com/",
    "energy.example.com",
    "https://a,",
  ]) {
    expect(() => settingsOf({ "cors-origins": wrong })).toThrow("the exact origin of a page");
  }
});
