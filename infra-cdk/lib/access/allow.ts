// What a function or a service may do. What must always hold: a permission names its actions and its resources one by one. The
// library's own grants do not (`kms:GenerateDataKey*`, `kinesis:ListStreams` on everything), so they are not used.

import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Adds a permission to the role of `grantee`. */
export function allow(grantee: IGrantable, permission: Permission): void {
  const { actions, resources, conditions } = permission;
  const statement = new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions !== undefined && { conditions }),
  });
  grantee.grantPrincipal.addToPrincipalPolicy(statement);
}
