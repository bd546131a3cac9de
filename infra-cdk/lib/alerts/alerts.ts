// The topic of alerts: for whoever wants to hear of sites. Subscribers are theirs to add, with a redrive policy of their own.

import type { IGrantable } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { allow } from "../access/allow";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import { MINUTE } from "../operations/periods";
import type { Settings } from "../settings";

export interface AlertsProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
}

export class Alerts extends Construct {
  readonly topic: Topic;
  readonly dashboardRow: DashboardRow;
  private readonly dataKey: DataKey;

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id);
    this.dataKey = props.dataKey;
    this.topic = new Topic(this, "Topic", {
      displayName: `wattstream ${props.settings.stage}: alerts`,
      masterKey: props.dataKey.key,
      enforceSSL: true,
    });
    this.dashboardRow = this.row();
  }

  /** Allows to publish alerts. */
  allowPublishing(grantee: IGrantable): void {
    allow(grantee, { actions: ["sns:Publish"], resources: [this.topic.topicArn] });
    this.dataKey.allowWriting(grantee, "sns");
  }

  private row(): DashboardRow {
    const sum = { statistic: "Sum", period: MINUTE };
    return {
      title: "Alerts",
      graphs: [
        { title: "Published", metrics: [this.topic.metricNumberOfMessagesPublished(sum)] },
        {
          title: "Delivered and failed",
          metrics: [
            this.topic.metricNumberOfNotificationsDelivered(sum),
            this.topic.metricNumberOfNotificationsFailed(sum),
          ],
        },
      ],
    };
  }
}
