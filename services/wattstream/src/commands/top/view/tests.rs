//! The screen, as it is drawn from a model on terminals of several sizes.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::model::tests::{sample, sample_on_aws};
use super::super::model::{Event, Key};
use super::*;

fn model(events: impl IntoIterator<Item = Event>) -> Model {
    let mut model = Model::new("http://127.0.0.1:8080");
    events.into_iter().for_each(|event| model.evolve(event));
    model
}

/// A process that has been watched for a minute, with more at some times than at others.
fn minute() -> Vec<Event> {
    let mut readings = 0;
    let of_second = |second: u64| {
        readings += 20 + 13 * (second % 7);
        Event::Sampled(sample(second, readings, &[45, 30, 15]))
    };
    (0..60).map(of_second).collect()
}

fn screen(columns: u16, lines: u16, model: &Model) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| draw(frame, model)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_process_at_work_on_80_by_24() {
    insta::assert_snapshot!(screen(80, 24, &model(minute())));
}

#[test]
fn a_wide_terminal_has_more_of_everything() {
    insta::assert_snapshot!(screen(120, 30, &model(minute())));
}

#[test]
fn a_small_terminal_keeps_figures_and_anomalies() {
    insta::assert_snapshot!(screen(60, 12, &model(minute())));
}

#[test]
fn an_api_on_aws_says_what_is_elsewhere() {
    let events = [Event::Sampled(sample_on_aws(0, 100)), Event::Sampled(sample_on_aws(5, 225))];
    insta::assert_snapshot!(screen(80, 24, &model(events)));
}

#[test]
fn a_process_that_went_away_is_told_of_and_its_last_figures_stay() {
    let missed = Event::Missed("no answer from http://127.0.0.1:8080: refused\nhint: is it running?".into());
    insta::assert_snapshot!(screen(80, 24, &model(minute().into_iter().chain([missed]))));
}

#[test]
fn help_lies_over_everything() {
    insta::assert_snapshot!(screen(80, 24, &model([Event::Key(Key::Help)])));
}

#[test]
fn every_size_can_be_drawn() {
    let mut model = model(minute());
    for help in [false, true] {
        model.is_help_open = help;
        for columns in [1, 2, 3, 10, 40, 79, 300] {
            for lines in [1, 2, 3, 5, 15, 16, 100] {
                screen(columns, lines, &model);
            }
        }
    }
}

#[test]
fn the_shards_furthest_behind_are_shown_when_not_all_fit() {
    let shard =
        |id: usize, lag_ms| ShardRate { id: format!("shardId-{id:012}"), lag_ms, records_per_s: None };
    let shards: Vec<_> = (0..10).map(|id| shard(id, if id == 7 { 9 } else { 1 })).collect();
    let (visible, hidden) = fitting(&shards, 4);
    assert_eq!((visible.len(), hidden), (4, 6));
    assert!(visible.iter().any(|shard| shard.lag_ms == 9));
    assert!(visible.is_sorted_by_key(|shard| &shard.id));
}

#[test]
fn what_an_api_says_cannot_command_the_terminal() {
    assert_eq!(one_line("away\u{1b}[2Jgone\nhint"), "away");
}

#[test]
fn figures_are_written_for_people() {
    let lags: Vec<_> = [0, 999, 1_520, 119_999, 120_000, 7_200_000].map(lag).into();
    assert_eq!(lags, ["0 ms", "999 ms", "1.5 s", "119.9 s", "2 min", "2 h"]);
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
    assert_eq!([0.25, 9_999.0, 12_345.0, 123_456.0].map(decimal), ["0.2", "9999.0", "12.3k", "123k"]);
    assert_eq!([at_most(99, 100), at_most(100, 100)], ["99", "100 or more"]);
}
