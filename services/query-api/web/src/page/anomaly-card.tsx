// The anomalies of the range, with the filters of their table. What must always hold: when these are the newest of more, the card says so.

import { countText } from "../units";
import type { State } from "../url-state";
import type { Go } from "./address";
import { AnomalyFilters, AnomalyTable } from "./anomaly-table";
import { Card } from "./card";
import type { RangeFigures } from "./range-figures";

interface Props {
  figures: RangeFigures;
  state: State;
  /** The rules that readings have broken, whenever. */
  rules: readonly string[];
  go: Go;
}

export function AnomalyCard({ figures, state, rules, go }: Props) {
  const { anomalies, anomaliesPath, found } = figures;
  const { rule, severity } = state;
  const count = `${countText(found.length)} ${found.length === 1 ? "reading" : "readings"}`;
  const empty = <p>No anomaly in this range{rule || severity ? " with this filter" : ""}.</p>;
  return (
    <Card
      title="Anomalies"
      note={`${anomalies.data?.isPartial ? `The newest ${count}` : count} with findings in the range. A time leads to its event.`}
      query={anomalies}
      path={anomaliesPath}
      empty={found.length === 0 ? empty : null}
      controls={<AnomalyFilters rules={rules} rule={rule} severity={severity} go={go} />}
    >
      <AnomalyTable
        anomalies={found}
        rule={rule}
        severity={severity}
        zone={state.zone}
        hasSites={state.site === null}
        go={go}
      />
    </Card>
  );
}
