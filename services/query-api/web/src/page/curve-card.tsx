// Generation against consumption, of a site or of all. What must always hold: a stretch drawn over the chart becomes the range of the
// whole page; a pin leads to its event.

import type { ComponentChildren } from "preact";
import { useCallback, useMemo, useRef } from "preact/hooks";
import type { Series } from "../api";
import { energyOverTime, type Look } from "../charts";
import { stepText } from "../charts/energy-over-time";
import { BACKGROUNDS } from "../charts/look";
import type { Pin } from "../charts/pins";
import { SPAN_MIN_MS, written } from "../time-range";
import { energyText } from "../units";
import type { Go } from "./address";
import { eventOf } from "./anomaly-table";
import { Card } from "./card";
import { Chart, pictureOf } from "./chart";
import { noteIn } from "./notes";
import type { RangeFigures } from "./range-figures";

const TABLE_ROWS_MAX = 500;

interface Props {
  figures: RangeFigures;
  look: Look;
  /** What the curve is of, such as `All sites.`. */
  scope: string;
  empty: ComponentChildren;
  go: Go;
}

const NONE: Series = { resolution: "hour", start: "1970-01-01T00:00:00Z", end: "1970-01-01T00:00:00Z", points: [] };

export function CurveCard({ figures, look, scope, empty, go }: Props) {
  const { curve, curvePath } = figures;
  const series = curve.data ?? NONE;
  const anomalies = usePinned(figures);
  const option = useMemo(
    () => energyOverTime(series, anomalies, { ...look, isTitled: false }),
    [series, anomalies, look],
  );
  const onStretch = useCallback(
    (startMs: number, endMs: number) => {
      if (endMs - startMs >= SPAN_MIN_MS) go({ range: written({ startMs, endMs }), page: 1 });
    },
    [go],
  );
  const onPin = useCallback(
    (pin: Pin) => {
      const [strongest] = pin.flaws;
      if (strongest) go(eventOf(strongest.reading));
    },
    [go],
  );
  const isEmpty = !series.points.some((point) => point.records > 0);
  return (
    <Card
      class="curve-card"
      title="Generation and consumption"
      note={`${scope} ${noteIn(option)} Drag over the chart to zoom in.`}
      query={curve}
      empty={isEmpty ? empty : null}
      path={curvePath}
      picture={() => pictureOf(energyOverTime(series, anomalies, { ...look, isTitled: true }), BACKGROUNDS[look.theme])}
      table={() => <PointTable series={series} look={look} />}
      skeletonPx={380}
    >
      <Chart option={option} zoomKey={`${series.start} ${series.end}`} onStretch={onStretch} onPin={onPin} />
    </Card>
  );
}

/** The anomalies for the curve that is shown: new ones wait for their curve, which would else be drawn once more for nothing. */
function usePinned({ curve, anomalies, found }: RangeFigures): RangeFigures["found"] {
  const pinned = useRef(found);
  if (!curve.isLoading && !anomalies.isLoading) pinned.current = found;
  return pinned.current;
}

function PointTable({ series, look }: { series: Series; look: Look }) {
  const known = series.points.filter((point) => point.records > 0);
  const shown = known.slice(-TABLE_ROWS_MAX).reverse();
  return (
    <table>
      <caption class="note">
        {shown.length < known.length
          ? `The newest ${shown.length} of ${known.length} points; the CSV has all.`
          : "The newest first."}
      </caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col" class="number">
            Generated
          </th>
          <th scope="col" class="number">
            Consumed
          </th>
          <th scope="col" class="number">
            Net
          </th>
          <th scope="col" class="number">
            Anomalies
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((point) => (
          <tr key={point.start}>
            <th scope="row">{stepText(Date.parse(point.start), series.resolution, look.zone)}</th>
            <td class="number">{energyText(point.energy_generated_kwh)}</td>
            <td class="number">{energyText(point.energy_consumed_kwh)}</td>
            <td class="number">{energyText(point.net_energy_kwh)}</td>
            <td class="number">{point.anomalies}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
