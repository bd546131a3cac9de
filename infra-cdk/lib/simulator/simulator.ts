// The simulator: a fleet of sites that do not exist, for a stage without real ones. What must always hold: the rate of its
// schedule is its metering interval, so that intervals meet without a gap.

import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";
import type { DataKey } from "../key/data-key";
import type { DashboardRow } from "../operations/dashboard";
import type { Operations } from "../operations/operations";
import { ScheduledFunction } from "../schedule/scheduled-function";
import type { FleetSettings, Settings } from "../settings";
import type { ReadingsStream } from "../stream/readings-stream";

/** Some twenty requests for 10,000 sites. */
const TIMEOUT = Duration.seconds(30);
const MEMORY_MIB = 256;

export interface SimulatorProps {
  readonly settings: Settings;
  readonly dataKey: DataKey;
  readonly operations: Operations;
  readonly stream: ReadingsStream;
  readonly fleet: FleetSettings;
}

export class Simulator extends Construct {
  readonly dashboardRow: DashboardRow;

  constructor(scope: Construct, id: string, props: SimulatorProps) {
    super(scope, id);
    const { fleet, stream } = props;
    const scheduled = new ScheduledFunction(this, "Scheduled", {
      settings: props.settings,
      dataKey: props.dataKey,
      operations: props.operations,
      name: "simulator",
      description: "Sends the readings of sites that do not exist",
      every: fleet.interval,
      memoryMiB: MEMORY_MIB,
      timeout: TIMEOUT,
      variables: {
        WATTSTREAM_STREAM: stream.stream.streamName,
        WATTSTREAM_FLEET_SITES: String(fleet.sites),
        WATTSTREAM_FLEET_INTERVAL_MS: String(fleet.interval.toMilliseconds()),
      },
    });
    stream.allowWriting(scheduled.rust.role, "PutRecords");
    this.dashboardRow = { title: "Simulator", graphs: scheduled.graphs() };
  }
}
