//! `top` on a terminal: three threads tell what happens (samples, keys, signals), this one draws. What must always hold: the
//! terminal is left as it was found at the end, at an error, at a panic and at a signal.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{
    self, Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};

use super::model::{Event, Key, Model};
use super::sample::Sampler;
use super::view::draw;
use crate::stop::asked_to_stop;

/// How many anomalies a page key passes.
const PAGE: usize = 10;

/// What the other threads tell.
enum News {
    Model(Event),
    /// The terminal has another size.
    Redraw,
    Quit,
    /// Nothing more will come of a thread.
    Failed(std::io::Error),
}

/// Shows until somebody quits.
pub(super) fn run(sampler: Sampler, every: Duration) -> anyhow::Result<()> {
    let mut model = Model::new(sampler.target());
    let (sender, news) = channel();
    listen(sampler, every, &sender)?;
    // It also sees to it that a panic gives the terminal back before it is told of.
    let mut terminal = ratatui::try_init().context("the terminal cannot be drawn on")?;
    let outcome = show(&mut terminal, &mut model, &news);
    ratatui::try_restore().context("the terminal could not be given back; `reset` mends it")?;
    outcome
}

fn show(terminal: &mut DefaultTerminal, model: &mut Model, news: &Receiver<News>) -> anyhow::Result<()> {
    loop {
        terminal.draw(|frame| draw(frame, model))?;
        match news.recv().context("nobody tells any more what happens")? {
            News::Model(event) => model.evolve(event),
            News::Redraw => {}
            News::Quit => return Ok(()),
            News::Failed(error) => return Err(error).context("watching the process"),
        }
    }
}

/// Starts the threads that tell.
fn listen(sampler: Sampler, every: Duration, news: &Sender<News>) -> anyhow::Result<()> {
    spawn("samples", news, move |news| {
        loop {
            let next = Instant::now() + every;
            let event = match sampler.take() {
                Ok(sample) => Event::Sampled(sample),
                Err(error) => Event::Missed(error.to_string()),
            };
            if news.send(News::Model(event)).is_err() {
                return;
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    })?;
    spawn("keys", news, |news| {
        loop {
            let told = match event::read() {
                Ok(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => meaning(key),
                Ok(TerminalEvent::Resize(..)) => Some(News::Redraw),
                Ok(_) => None,
                Err(error) => Some(News::Failed(error)),
            };
            if told.is_some_and(|told| news.send(told).is_err()) {
                return;
            }
        }
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    spawn("signals", news, move |news| {
        runtime.block_on(asked_to_stop());
        let _ = news.send(News::Quit);
    })
}

fn spawn(
    name: &'static str,
    news: &Sender<News>,
    tell: impl FnOnce(&Sender<News>) + Send + 'static,
) -> anyhow::Result<()> {
    let news = Teller { name, news: news.clone() };
    thread::Builder::new().name(name.to_owned()).spawn(move || tell(&news.news))?;
    Ok(())
}

/// A thread that tells. When it panics the view ends, because the panic has given the terminal back already.
struct Teller {
    name: &'static str,
    news: Sender<News>,
}

impl Drop for Teller {
    fn drop(&mut self) {
        if thread::panicking() {
            let error = std::io::Error::other(format!("the thread of {} panicked", self.name));
            let _ = self.news.send(News::Failed(error));
        }
    }
}

/// What a key asks for.
fn meaning(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<News> {
    let key = match code {
        // In raw mode Ctrl-C is a key like any other.
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return Some(News::Quit),
        KeyCode::Char('q') | KeyCode::Esc => return Some(News::Quit),
        KeyCode::Char('p' | ' ') => Key::Pause,
        KeyCode::Char('?' | 'h') => Key::Help,
        KeyCode::Down | KeyCode::Char('j') => Key::Down(1),
        KeyCode::Up | KeyCode::Char('k') => Key::Up(1),
        KeyCode::PageDown => Key::Down(PAGE),
        KeyCode::PageUp => Key::Up(PAGE),
        KeyCode::Home => Key::First,
        KeyCode::End => Key::Last,
        _ => return None,
    };
    Some(News::Model(Event::Key(key)))
}
