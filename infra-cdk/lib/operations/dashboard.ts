// The dashboard of a stage: a row for each service, in the order in which a reading passes them. What must always hold: what a
// row shows is the service's own to say.

import { Dashboard, GraphWidget, type IWidget, type Metric, Row, TextWidget } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { Settings } from "../settings";

/** What a service shows of itself. */
export interface DashboardRow {
  readonly title: string;
  readonly graphs: readonly Graph[];
}

export interface Graph {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** The width of the dashboard, which the graphs of a row share. */
const WIDTH = 24;
const GRAPH_HEIGHT = 5;

export interface StageDashboardProps {
  readonly settings: Settings;
  readonly rows: readonly DashboardRow[];
}

export class StageDashboard extends Construct {
  constructor(scope: Construct, id: string, props: StageDashboardProps) {
    super(scope, id);
    new Dashboard(this, "Dashboard", {
      dashboardName: `wattstream-${props.settings.stage}`,
      widgets: props.rows.flatMap((row) => [[headingOf(row)], graphsOf(row)]),
    });
  }
}

function headingOf(row: DashboardRow): IWidget {
  return new TextWidget({ markdown: `## ${row.title}`, width: WIDTH, height: 1 });
}

function graphsOf(row: DashboardRow): IWidget[] {
  const width = Math.floor(WIDTH / row.graphs.length);
  return [new Row(...row.graphs.map((graph) => graphOf(graph, width)))];
}

function graphOf(graph: Graph, width: number): IWidget {
  return new GraphWidget({ title: graph.title, left: [...graph.metrics], width, height: GRAPH_HEIGHT });
}
