// What must hold of every workflow here, beyond what a linter of workflows knows.
//
// What must always hold: a rule is a function of the files, and says of each finding what is wrong and how to mend it.

import { environmentOf, eventsOf, type Job, jobsOf, type Source, stepsOf } from "./workflow.ts";

export interface Rule {
  readonly name: string;
  /** What is wrong in a file; nothing when it is right. */
  readonly findings: (source: Source) => readonly string[];
}

const CREDENTIALS_ACTION = "aws-actions/configure-aws-credentials@";
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
/** What a job may be allowed: to read the code, and to ask for a token that names it. */
const PERMISSIONS = ["contents: read", "id-token: write"];
/** Events whose workflows see secrets while code of strangers may be about. */
const DANGEROUS_EVENTS = ["pull_request_target", "workflow_run", "issue_comment"];
const OWN_BRANCHES = "github.event.pull_request.head.repo.full_name == github.repository";
const PROTECTED = "production";

function isWorkflow(source: Source): boolean {
  return source.path.startsWith("workflows/");
}

function hasToken(job: Job): boolean {
  return job.permissions?.["id-token"] === "write";
}

function ofJobs(source: Source, wrong: (job: Job, name: string) => string | undefined): readonly string[] {
  return jobsOf(source).flatMap(([name, job]) => {
    const finding = wrong(job, name);
    return finding === undefined ? [] : [`job ${name}: ${finding}`];
  });
}

function needsOf(job: Job): readonly string[] {
  return typeof job.needs === "string" ? [job.needs] : (job.needs ?? []);
}

/** What a job says of stages: context of the CDK in its commands, and inputs of the action that deploys. */
export function stagesOf(job: Job): readonly string[] {
  return (job.steps ?? []).flatMap(({ run = "", with: inputs }) => {
    const named = [...run.matchAll(/-c\s+"?stage=(\S+?)"?(?:\s|$)/g)].map((match) => match[1] ?? "");
    return typeof inputs?.["stage"] === "string" ? [...named, inputs["stage"]] : named;
  });
}

export const RULES: readonly Rule[] = [
  {
    name: "an action is pinned by its commit, with its version beside it",
    findings: (source) => {
      const lines = source.text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
      const foreign = lines.filter((line) => !/uses: \.\//.test(line));
      const wrong = foreign.filter((line) => {
        const [, action = "", comment = ""] = /uses:\s*(\S+)\s*(.*)$/.exec(line) ?? [];
        return !PINNED.test(action) || !/^# v\d+\.\d+\.\d+$/.test(comment);
      });
      return wrong.map((line) => `“${line.trim()}”: write uses: owner/name@<40 hex digits> # v1.2.3`);
    },
  },
  {
    name: "there are no long-lived keys",
    findings: ({ text }) => {
      const keys =
        text.match(/secrets\.\w+|aws-access-key-id|aws-secret-access-key|AWS_SECRET_ACCESS_KEY|AKIA\w+/g) ?? [];
      return keys.map((key) => `${key}: take a role by OIDC instead, its ARN from a variable`);
    },
  },
  {
    name: "credentials are a role that GitHub's token takes",
    findings: (source) =>
      stepsOf(source)
        .filter(
          (step) => step.uses?.startsWith(CREDENTIALS_ACTION) && typeof step.with?.["role-to-assume"] !== "string",
        )
        .map(() => "configure-aws-credentials without role-to-assume: say which role"),
  },
  {
    name: "nothing from outside is put into a script",
    findings: (source) =>
      stepsOf(source)
        .filter((step) => step.run?.includes("${{"))
        .map((step) => `“${step.run?.split("\n")[0]}”: hand the expression over in env, and use the variable`),
  },
  {
    name: "a workflow has no permissions, a job those that it needs",
    findings: (source) => {
      if (!isWorkflow(source)) return [];
      const isEmpty = JSON.stringify(source.content.permissions) === "{}";
      const top = isEmpty ? [] : ["write permissions: {} at the top"];
      const jobs = ofJobs(source, ({ permissions }) => {
        if (permissions === undefined) return "name its permissions";
        const wide = Object.entries(permissions).map(([name, level]) => `${name}: ${level}`);
        const unknown = wide.filter((permission) => !PERMISSIONS.includes(permission));
        return unknown.length > 0 ? `it may not have ${unknown.join(", ")}` : undefined;
      });
      return [...top, ...jobs];
    },
  },
  {
    name: "a job that can ask for a token runs in an environment, or for branches of this repository alone",
    findings: (source) =>
      ofJobs(source, (job) => {
        const isGuarded = environmentOf(job) !== undefined || job.if?.includes(OWN_BRANCHES);
        return hasToken(job) && !isGuarded ? `give it an environment, or if: ${OWN_BRANCHES}` : undefined;
      }),
  },
  {
    name: "where there can be a token, packages run no scripts when they are installed",
    findings: (source) => {
      const withToken = [
        ...jobsOf(source)
          .filter(([, job]) => hasToken(job))
          .flatMap(([, job]) => job.steps ?? []),
      ];
      const steps = [...withToken, ...(source.content.runs?.steps ?? [])];
      const wrong = steps.filter(({ run = "" }) => /npm (ci|install)(?!.*--ignore-scripts)/.test(run));
      return wrong.map(({ run }) => `“${run?.trim()}”: add --ignore-scripts`);
    },
  },
  {
    name: "the checkout leaves no credentials behind",
    findings: (source) =>
      stepsOf(source)
        .filter((step) => step.uses?.startsWith("actions/checkout@") && step.with?.["persist-credentials"] !== false)
        .map(() => "actions/checkout: add persist-credentials: false"),
  },
  {
    name: "no event hands secrets to strangers",
    findings: (source) =>
      eventsOf(source)
        .filter((event) => DANGEROUS_EVENTS.includes(event))
        .map((event) => `on: ${event}: use pull_request`),
  },
  {
    name: "a job ends, waits its turn, and runs on a runner with a version",
    findings: (source) =>
      ofJobs(source, (job) => {
        if (!((job["timeout-minutes"] ?? Number.POSITIVE_INFINITY) <= 90))
          return "give it timeout-minutes of at most 90";
        if (job.concurrency === undefined && source.content.concurrency === undefined)
          return "give it a concurrency group";
        return /-latest$|^$/.test(job["runs-on"] ?? "") ? "name the version of its runner" : undefined;
      }),
  },
  {
    name: "a command that fails before a pipe fails its step",
    findings: (source) => {
      const isNamed = !isWorkflow(source) || source.content.defaults?.run?.shell === "bash";
      return isNamed ? [] : ["write defaults: run: shell: bash at the top, which sets pipefail"];
    },
  },
  {
    name: "prod is deployed after dev, and only in the protected environment",
    findings: (source) =>
      ofJobs(source, (job) => {
        const deploysProd = stagesOf(job).includes("prod");
        if (!deploysProd)
          return environmentOf(job) === PROTECTED ? "it does not deploy prod: leave production alone" : undefined;
        if (environmentOf(job) !== PROTECTED) return `write environment: ${PROTECTED}`;
        return needsOf(job).includes("dev") ? undefined : "write needs: dev";
      }),
  },
  {
    name: "destroying is by hand, and of dev alone",
    findings: (source) => {
      if (!/cdk destroy/.test(source.text)) return [];
      const events = eventsOf(source);
      const byHand =
        events.length === 1 && events[0] === "workflow_dispatch" ? [] : ["write on: workflow_dispatch alone"];
      const jobs = ofJobs(source, (job) => {
        const others = stagesOf(job).filter((stage) => stage !== "dev");
        if (others.length > 0) return `it names the stage ${others.join(", ")}: write dev, and let nobody choose`;
        if (environmentOf(job) !== "dev") return "write environment: dev";
        return /"\$TYPED" != dev/.test(job.steps?.[0]?.run ?? "")
          ? undefined
          : "let its first step compare what was typed with dev";
      });
      return [...byHand, ...jobs];
    },
  },
];

/** Every finding of every rule. */
export function check(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) =>
    RULES.flatMap((rule) => rule.findings(source).map((finding) => `${source.path}: ${rule.name}: ${finding}`)),
  );
}
