//! A small finder for a tenant: `cargo run --release --example search -- --vault DIR --identity FILE`.
//!
//! The example `ingest` with `--vault` leaves both: DIR, and DIR.keys/NAME.identity. Commands are read line by line, so
//! that it works in any terminal and in a script.

mod owner;
mod told;

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Instant;

use strongroom::{Access, Cursor, Identifier, Listing, PartKind, Pattern, Record, TenantSession};
use told::{Done, chain, end};

const HELP: &str = "  WORDS            interactions in which these words are said, in any case
  =TEXT            exactly this text
  /EXPRESSION      a regular expression
  who NUMBER       interactions of a telephone number, e-mail address or customer number
  list             the newest interactions
  more             what comes next
  show N           what was said in number N
  play N FROM TO FILE  seconds FROM to TO of number N's recording into a file
  quit";

/// Interactions on a page.
const PAGE: usize = 10;

fn main() -> ExitCode {
    end(run().map(|()| true))
}

fn run() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let ["--vault", vault, "--identity", identity] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return Err("usage: search --vault DIR --identity FILE".into());
    };
    let actor = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    let (tenant, session) = owner::session(vault, identity, Access::new(actor, "looking for an interaction"))?;
    let mut finder = Finder { session, shown: Vec::new(), last: None, colour: io::stdout().is_terminal() };
    if io::stdin().is_terminal() {
        println!("{}: type what to look for, or\n{HELP}", tenant.name);
    }
    loop {
        if io::stdin().is_terminal() {
            print!("> ");
            io::stdout().flush()?;
        }
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 || line.trim() == "quit" {
            return Ok(());
        }
        if let Err(error) = finder.obey(line.trim()) {
            println!("{}", chain(&*error));
        }
    }
}

/// What was asked last, to go on with.
#[derive(Clone)]
struct Asked {
    listing: Listing,
    pattern: Option<Pattern>,
    next: Option<Cursor>,
}

struct Finder {
    session: TenantSession,
    shown: Vec<Record>,
    last: Option<Asked>,
    colour: bool,
}

impl Finder {
    fn obey(&mut self, line: &str) -> Done<()> {
        let (command, rest) = line.split_once(' ').map_or((line, ""), |(command, rest)| (command, rest.trim()));
        let newest = || Listing::newest().limit(PAGE);
        match (command, rest) {
            ("", _) => Ok(()),
            ("help" | "?", "") => {
                println!("{HELP}");
                Ok(())
            }
            ("list", "") => self.ask(Asked { listing: newest(), pattern: None, next: None }),
            ("more", "") => {
                let mut asked = self.last.clone().ok_or("nothing was asked yet")?;
                let next = asked.next.take().ok_or("there is no more")?;
                asked.listing = asked.listing.after(next);
                self.ask(asked)
            }
            ("who", who) if !who.is_empty() => {
                // A customer number may look like a telephone number: the first that somebody has counts.
                let kinds = [Identifier::mailto, Identifier::tel, Identifier::customer];
                let all: Vec<Identifier> = kinds.iter().filter_map(|parse| parse(who).ok()).collect();
                let mut listing = newest().subject(Identifier::customer(who)?);
                for one in all {
                    listing = newest().subject(one);
                    if !self.session.list(&listing.clone().limit(1))?.items.is_empty() {
                        break;
                    }
                }
                self.ask(Asked { listing, pattern: None, next: None })
            }
            ("show", number) if number.parse::<usize>().is_ok() => self.show(number),
            ("play", rest) if rest.splitn(4, ' ').count() == 4 => self.play(rest),
            _ => {
                let pattern = match (line.strip_prefix('/'), line.strip_prefix('=')) {
                    (Some(expression), _) => Pattern::regex(expression)?,
                    (_, Some(text)) => Pattern::exact(text)?,
                    _ => Pattern::phrase(line)?,
                };
                self.ask(Asked { listing: newest(), pattern: Some(pattern), next: None })
            }
        }
    }

    fn ask(&mut self, mut asked: Asked) -> Done<()> {
        let started = Instant::now();
        self.shown.clear();
        let Some(pattern) = &asked.pattern else {
            let page = self.session.list(&asked.listing)?;
            for listed in page.items {
                match listed.record {
                    Ok(record) => self.row(record),
                    Err(error) => println!("  -  {} does not open: {error}", listed.id),
                }
            }
            asked.next = page.next;
            return self.end(asked, started);
        };
        let progress = io::stderr().is_terminal();
        let found = self.session.search(&asked.listing, pattern, |now| {
            if progress && started.elapsed().as_millis() > 300 {
                eprint!("\r{} of {} looked at, {} found", now.looked_at, now.of, now.kept);
            }
            ControlFlow::Continue(())
        })?;
        if progress {
            eprint!("\r\x1b[K");
        }
        for hit in found.records {
            let (count, places) = (hit.count, hit.places);
            self.row(hit.record);
            for place in places.iter().take(3) {
                let at = place.at_ms.map_or(String::new(), |ms| format!("{} ", clock(ms)));
                let who = place.speaker.as_deref().map_or(String::new(), |who| format!("{}: ", plain(who)));
                let (before, rest) = place.snippet.split_at(place.highlight.start);
                let (match_, after) = rest.split_at(place.highlight.end - place.highlight.start);
                let (on, off) = if self.colour { ("\x1b[1;33m", "\x1b[0m") } else { ("[", "]") };
                println!("       {at}{who}{}{on}{match_}{off}{}", before.trim_start(), after.trim_end());
            }
            if count > 3 {
                println!("       and {} more", count - 3);
            }
        }
        for (id, error) in &found.unsearched {
            println!("  -  {id} could not be searched: {error}");
        }
        asked.next = found.next;
        self.end(asked, started)
    }

    fn end(&mut self, asked: Asked, started: Instant) -> Done<()> {
        let more = if asked.next.is_some() { "; \"more\" goes on" } else { "" };
        let ms = started.elapsed().as_millis();
        println!("{} shown in {ms} ms{more}", self.shown.len());
        self.last = Some(asked);
        Ok(())
    }

    fn row(&mut self, record: Record) {
        let head = record.head();
        let people: Vec<&str> = head.subjects.iter().filter_map(|s| s.name.as_deref()).collect();
        let length = head.duration_ms.map_or(String::new(), clock);
        let time = head.time().to_string();
        let number = self.shown.len() + 1;
        println!(
            "{number:>3}  {}  {:7} {length:>7}  {}",
            &time[..16].replace('T', " "),
            plain(&head.channel.to_string()),
            plain(&people.join(", "))
        );
        self.shown.push(record);
    }

    fn nth(&self, number: &str) -> Done<&Record> {
        let at = number.parse::<usize>()?.checked_sub(1);
        Ok(at.and_then(|at| self.shown.get(at)).ok_or("there is no such number above")?)
    }

    fn show(&self, number: &str) -> Done<()> {
        let record = self.nth(number)?;
        println!("record {}", record.id());
        for (number, part) in record.parts() {
            println!("- {} {} {} bytes", part.kind, plain(&part.media_type), part.len);
            if matches!(part.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email) {
                let text = record.text(number)?;
                text.body().lines().for_each(|line| println!("  {}", plain(line)));
            }
        }
        Ok(())
    }

    fn play(&self, rest: &str) -> Done<()> {
        let words: Vec<&str> = rest.splitn(4, ' ').collect();
        let record = self.nth(words[0])?;
        let ms = |word: &str| -> Done<u64> { Ok((word.parse::<f64>()?.max(0.0) * 1000.0) as u64) };
        let (from, to) = (ms(words[1])?, ms(words[2])?);
        let audio = record.parts().find(|(_, part)| part.kind == PartKind::Audio);
        let (number, _) = audio.ok_or("it has no recording")?;
        let mut out = File::create_new(words[3])?;
        match record.cut_audio(number, from..to, &mut out) {
            Ok(cut) => {
                println!("{} to {} as {} in {}", clock(cut.ms.start), clock(cut.ms.end), cut.media_type, words[3]);
                Ok(())
            }
            Err(error) => {
                std::fs::remove_file(words[3])?;
                Err(error.into())
            }
        }
    }
}

fn clock(ms: u64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1000 % 60)
}

/// Without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
