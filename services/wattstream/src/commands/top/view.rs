//! How a model looks. What must always hold: it draws what the model says and changes nothing; nothing is said by colour alone;
//! on any size of terminal it draws what fits and never fails.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Sparkline, Table, TableState};

use super::model::{Model, ShardRate};
use super::sample::{Anomaly, DEAD_LETTERS_COUNTED_MAX, Fleet, Part, Sample};

/// Lines of the panels over the anomalies, their frames included.
const PANELS_LINES: u16 = 7;
/// Below this many lines the panels give way to the figures and the anomalies.
const PANELS_FROM_LINES: u16 = 16;
/// The width that the shards take.
const SHARDS_COLUMNS: u16 = 44;
/// Below this many columns the shards give way to the rate.
const SHARDS_FROM_COLUMNS: u16 = 72;
/// Below this many columns an anomaly is told by time, site and rule alone.
const VALUES_FROM_COLUMNS: u16 = 78;
const COLUMNS_ALWAYS: usize = 3;
/// A lag beyond this is marked: it is the one at which a process stops being ready.
const LAG_MARKED_MS: u64 = 30_000;

const HELP: &[&str] = &[
    "q, Esc      quit",
    "p, space    pause, and go on",
    "↑ ↓  j k    the next anomaly, the one before",
    "PgUp PgDn   ten at once",
    "Home End    the newest, the oldest",
    "?, h        this help",
    "",
    "readings/s  what the consumer processed between two samples",
    "lag         age of the oldest record that waits in a shard",
    "rejected    records that no reading could be made of",
];

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let has_panels = frame.area().height >= PANELS_FROM_LINES;
    let [header, panels, figures, anomalies, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(if has_panels { PANELS_LINES } else { 0 }),
        Constraint::Length(3),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_header(frame, header, model);
    if has_panels {
        draw_panels(frame, panels, model);
    }
    draw_figures(frame, figures, model);
    draw_anomalies(frame, anomalies, model);
    frame.render_widget(Line::from(" q quit   ↑↓ anomalies   p pause   ? help").dim(), footer);
    if model.is_help_open {
        draw_help(frame);
    }
}

fn draw_header(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let state = state(model);
    let width = u16::try_from(state.width()).unwrap_or(area.width);
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    frame.render_widget(Line::from(vec![" wattstream ".bold(), Span::raw(model.target.as_str())]), left);
    frame.render_widget(state, right);
}

/// Whether the figures are those of now.
fn state(model: &Model) -> Line<'static> {
    let (mark, colour) = match (model.is_paused, &model.missed, &model.sample) {
        (true, _, _) => (" ‖ paused ", Color::Yellow),
        (_, Some(_), _) => (" ✗ no answer, asking again ", Color::Red),
        (_, None, None) => (" … asking ", Color::Yellow),
        (_, None, Some(sample)) if !sample.readiness.is_ready => (" ! not ready ", Color::Red),
        (_, None, Some(_)) => (" ● live ", Color::Green),
    };
    Line::from(mark.fg(colour).bold())
}

fn draw_panels(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let shards = if area.width < SHARDS_FROM_COLUMNS { 0 } else { SHARDS_COLUMNS };
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(shards)]).areas(area);
    draw_rate(frame, left, model);
    if shards > 0 {
        draw_shards(frame, right, model);
    }
}

fn draw_rate(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let rate = model.rate.map_or_else(|| "…".to_owned(), decimal);
    let block = Block::bordered().title(Line::from(vec![" readings/s ".into(), rate.bold(), " ".into()]));
    let width = usize::from(block.inner(area).width);
    let newest: Vec<u64> = model.rates.iter().rev().take(width).rev().map(|&rate| height(rate)).collect();
    frame.render_widget(Sparkline::default().data(newest).style(Color::Cyan).block(block), area);
}

/// A rate as the height of a bar: tenths, so that slow streams have a shape too.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is at least zero")]
fn height(rate: f64) -> u64 {
    (rate * 10.0).round() as u64
}

fn draw_shards(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (visible, hidden) = fitting(&model.shards, usize::from(area.height.saturating_sub(3)));
    let title = if hidden > 0 { format!(" shards, {hidden} more ") } else { " shards ".to_owned() };
    let block = Block::bordered().title(title);
    if matches!(&model.sample, Some(Sample { pipeline: Part::Absent, .. })) {
        let elsewhere = "Lag and rates of the shards are in CloudWatch: this API has no /metrics.";
        frame.render_widget(
            Paragraph::new(elsewhere).wrap(ratatui::widgets::Wrap { trim: true }).block(block),
            area,
        );
        return;
    }
    let rows = visible.iter().map(|shard| shard_row(shard));
    let widths = [Constraint::Min(12), Constraint::Length(9), Constraint::Length(9)];
    let heading = Row::new(["shard".into(), right("lag"), right("records/s")]).style(Modifier::DIM);
    frame.render_widget(Table::new(rows, widths).header(heading).block(block), area);
}

/// The shards that are furthest behind, as many as fit, by id; and how many are left out.
fn fitting(shards: &[ShardRate], lines: usize) -> (Vec<&ShardRate>, usize) {
    let mut visible: Vec<&ShardRate> = shards.iter().collect();
    visible.sort_by_key(|shard| std::cmp::Reverse(shard.lag_ms));
    visible.truncate(lines);
    visible.sort_by(|one, other| one.id.cmp(&other.id));
    let hidden = shards.len() - visible.len();
    (visible, hidden)
}

fn shard_row(shard: &ShardRate) -> Row<'_> {
    let lag = right(&lag(shard.lag_ms)).style(lag_style(shard.lag_ms));
    let rate = shard.records_per_s.map_or_else(|| "…".to_owned(), decimal);
    // The zeros in the middle of a shard's id say nothing.
    let id = shard.id.strip_prefix("shardId-").map_or(shard.id.as_str(), |number| {
        match number.trim_start_matches('0') {
            "" => "0",
            number => number,
        }
    });
    Row::new([Cell::from(id), lag, right(&rate)])
}

fn draw_figures(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let lines = match (&model.sample, &model.missed) {
        (Some(sample), missed) => vec![
            fleet_figures(sample),
            pipeline_figures(sample),
            missed.as_deref().map_or_else(|| readiness(sample), refusal),
        ],
        (None, Some(why)) => vec![refusal(why)],
        (None, None) => Vec::new(),
    };
    frame.render_widget(Paragraph::new(lines), area);
}

fn figure(name: &'static str, value: String) -> [Span<'static>; 3] {
    [format!(" {name} ").dim(), value.bold(), " ".into()]
}

fn fleet_figures(sample: &Sample) -> Line<'static> {
    let Fleet { sites, readings, anomalies } = sample.fleet;
    let counts = [("sites", sites), ("readings", readings), ("anomalies", anomalies)];
    let mut spans: Vec<_> =
        counts.into_iter().flat_map(|(name, count)| figure(name, grouped(count))).collect();
    if let Part::There(pipeline) = &sample.pipeline {
        let [name, value, space] = figure("lag", lag(pipeline.lag_ms()));
        spans.extend([name, value.patch_style(lag_style(pipeline.lag_ms())), space]);
    }
    Line::from(spans)
}

/// What became of records besides readings, and where that is when it is not here.
fn pipeline_figures(sample: &Sample) -> Line<'static> {
    let mut spans = Vec::new();
    if let Part::There(pipeline) = &sample.pipeline {
        spans.extend(figure("rejected", grouped(pipeline.rejected)));
        spans.extend(figure("silent sites", grouped(pipeline.silent_sites)));
    }
    let letters = match sample.dead_letters {
        Part::There(letters) => at_most(letters as u64, DEAD_LETTERS_COUNTED_MAX as u64),
        Part::Absent => "in their queue, see `wattstream dead-letters list`".to_owned(),
    };
    spans.extend(figure("dead letters", letters));
    Line::from(spans)
}

fn readiness(sample: &Sample) -> Line<'static> {
    let detail = Line::from(format!(" {}", one_line(&sample.readiness.detail)));
    if sample.readiness.is_ready { detail.dim() } else { detail.red().bold() }
}

/// Why there are no newer figures.
fn refusal(why: &str) -> Line<'static> {
    Line::from(format!(" {}", one_line(why))).red()
}

fn draw_anomalies(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let anomalies = model.anomalies();
    let place = if anomalies.is_empty() {
        String::new()
    } else {
        format!("{} of {} ", model.selected + 1, anomalies.len())
    };
    let block = Block::bordered().title(" newest anomalies ").title(Line::from(place).right_aligned());
    if anomalies.is_empty() {
        let none = if model.sample.is_some() { " none" } else { "" };
        frame.render_widget(Paragraph::new(none).dim().block(block), area);
        return;
    }
    // The first of these columns always, the others where there is room for all of them.
    let columns = [
        (Constraint::Length(19), "time (UTC)".into()),
        (Constraint::Min(12), "site".into()),
        (Constraint::Length(16), "rule".into()),
        (Constraint::Length(5), right("score")),
        (Constraint::Length(9), right("generated")),
        (Constraint::Length(9), right("consumed")),
    ];
    let shown = if area.width < VALUES_FROM_COLUMNS { COLUMNS_ALWAYS } else { columns.len() };
    let (widths, heading): (Vec<_>, Vec<Cell<'_>>) = columns.into_iter().take(shown).unzip();
    let rows = anomalies.iter().map(|anomaly| Row::new(cells(anomaly).into_iter().take(shown)));
    let table = Table::new(rows, widths)
        .header(Row::new(heading).style(Modifier::DIM))
        .row_highlight_style(Modifier::REVERSED)
        .block(block);
    let mut state = TableState::default().with_selected(model.selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn cells(anomaly: &Anomaly) -> [Cell<'_>; 6] {
    let rules: Vec<_> = anomaly.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let score = anomaly.findings.iter().map(|finding| finding.score).fold(f64::NEG_INFINITY, f64::max);
    let score = if score.is_finite() { decimal(score) } else { String::new() };
    [
        Cell::from(to_the_second(&anomaly.timestamp)),
        Cell::from(anomaly.site_id.as_str()),
        Cell::from(rules.join(" ")),
        right(&score),
        right(&format!("{:.3}", anomaly.energy_generated_kwh)),
        right(&format!("{:.3}", anomaly.energy_consumed_kwh)),
    ]
}

fn draw_help(frame: &mut Frame<'_>) {
    let lines = u16::try_from(HELP.len() + 2).unwrap_or(u16::MAX);
    let area = frame.area().centered(Constraint::Max(66), Constraint::Max(lines));
    let text: Vec<Line<'_>> = HELP.iter().map(|line| Line::from(format!(" {line}"))).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).block(Block::bordered().title(" help ")), area);
}

fn right(text: &str) -> Cell<'static> {
    Cell::from(Line::from(text.to_owned()).right_aligned())
}

fn lag_style(lag_ms: u64) -> Style {
    if lag_ms > LAG_MARKED_MS { Style::new().fg(Color::Red).bold() } else { Style::new() }
}

/// A lag in the unit that a person reads.
fn lag(lag_ms: u64) -> String {
    match lag_ms {
        0..1_000 => format!("{lag_ms} ms"),
        1_000..120_000 => format!("{}.{} s", lag_ms / 1_000, lag_ms % 1_000 / 100),
        120_000..7_200_000 => format!("{} min", lag_ms / 60_000),
        _ => format!("{} h", lag_ms / 3_600_000),
    }
}

/// A number with one place, and thousands as such.
fn decimal(number: f64) -> String {
    match number {
        100_000.0.. => format!("{:.0}k", number / 1_000.0),
        10_000.0.. => format!("{:.1}k", number / 1_000.0),
        _ => format!("{number:.1}"),
    }
}

/// A count with a space between thousands.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count that stops at a limit.
pub(super) fn at_most(count: u64, limit: u64) -> String {
    if count >= limit { format!("{limit} or more") } else { count.to_string() }
}

/// An instant without its zone, which the heading names, nor milliseconds that are none.
fn to_the_second(timestamp: &str) -> String {
    let instant = timestamp.trim_end_matches('Z');
    instant.strip_suffix(".000").unwrap_or(instant).replace('T', " ")
}

/// What the network or an API says, on one line and with no character that a terminal would obey.
fn one_line(text: &str) -> String {
    text.split(char::is_control).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "view/tests.rs"]
mod tests;
