//! The log, as the host reads it: one JSON object per line on stderr, in the form of Go's hclog.
//!
//! Only the events of this crate are written. Those of a dependency could show what was sent or received, secrets
//! included.

use std::fmt;
use std::io::{self, Write};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry, Scope};
use tracing_subscriber::{Layer, util::SubscriberInitExt};

/// The host cuts longer lines in pieces that are no JSON any more (64 KiB, line end included).
const MAX_LINE_BYTES: usize = (64 << 10) - 1;

/// How many bytes of a text are kept. Escaping makes it six times as long at worst, which still fits a line.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// The environment variables that set the log's threshold.
///
/// The first that is set to something decides: `trace`, `debug`, `info`, `warn`, `error` or `off`,
/// in any case. Any other text, such as the hosts' `json`, means everything.
#[derive(Clone, Copy, Debug)]
pub struct Logs {
    /// The names, most specific first. The host's own belong to them, because lines that the host drops need not be
    /// written.
    pub variables: &'static [&'static str],
    /// The first part of every line's `@module`.
    pub module: &'static str,
}

/// The threshold where no variable sets one.
#[derive(Clone, Copy, Debug)]
pub(super) enum DefaultThreshold {
    /// A host owns this process and asked for no log: nothing is written.
    Off,
    /// A developer runs this process by hand: everything is written.
    Trace,
}

/// Starts logging to stderr, if anything is asked for.
pub(super) fn install(logs: &Logs, default: DefaultThreshold) {
    let threshold = threshold(logs.variables, default, |name| std::env::var(name).ok());
    if threshold == LevelFilter::OFF {
        return;
    }
    let lines = HclogLayer {
        threshold,
        module: logs.module,
        write: |line: &[u8]| {
            // One write per line: lines of several threads stay whole. A host that closed its end is
            // no reason to fail.
            let _ = io::stderr().lock().write_all(line);
        },
    };
    // Fails if there is a subscriber already, which then gets the events.
    let _ = Registry::default().with(lines).try_init();
}

fn threshold(variables: &[&str], default: DefaultThreshold, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let set = variables.iter().filter_map(|name| variable(name));
    match set.map(|text| text.trim().to_lowercase()).find(|text| !text.is_empty()) {
        Some(text) => match text.as_str() {
            "debug" => LevelFilter::DEBUG,
            "info" => LevelFilter::INFO,
            "warn" => LevelFilter::WARN,
            "error" => LevelFilter::ERROR,
            "off" => LevelFilter::OFF,
            _ => LevelFilter::TRACE,
        },
        None => match default {
            DefaultThreshold::Off => LevelFilter::OFF,
            DefaultThreshold::Trace => LevelFilter::TRACE,
        },
    }
}

/// The tracing layer that writes each event as one line of hclog's JSON.
struct HclogLayer<W> {
    threshold: LevelFilter,
    module: &'static str,
    write: W,
}

impl<S, W> Layer<S> for HclogLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.threshold && path_in_crate(metadata.target()).is_some()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.threshold)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        // A message belongs to its event; a span has none to pass on.
        fields.0.remove(MESSAGE);
        event.record(&mut fields);
        let metadata = event.metadata();
        (self.write)(&line(
            metadata.level().as_str(),
            &module(self.module, metadata.target()),
            OffsetDateTime::now_utc(),
            fields,
        ));
    }
}

/// What follows our crate's name in `target`, if it is ours.
fn path_in_crate(target: &str) -> Option<&str> {
    let ours = module_path!().split("::").next().unwrap_or_default();
    let rest = target.strip_prefix(ours)?;
    (rest.is_empty() || rest.starts_with("::")).then_some(rest)
}

/// `root` and the path of a target, with dots.
fn module(root: &str, target: &str) -> String {
    format!("{root}{}", path_in_crate(target).unwrap_or_default().replace("::", "."))
}

fn line(level: &str, module: &str, at: OffsetDateTime, mut fields: Fields) -> Vec<u8> {
    // The host takes `@` fields for strings without a check, and crashes on any other type.
    let message = fields.0.remove(MESSAGE).unwrap_or_else(|| Value::String(String::new()));
    let head = [
        ("@level", Value::String(level.to_lowercase())),
        ("@message", message),
        ("@module", Value::String(module.to_owned())),
        ("@timestamp", Value::String(timestamp(at))),
    ];
    let head: Map<String, Value> = head.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    fields.0.extend(head.clone());
    let mut line = encoded(fields.0);
    if line.len() > MAX_LINE_BYTES {
        line = encoded(head);
    }
    line
}

fn encoded(object: Map<String, Value>) -> Vec<u8> {
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// RFC 3339 in UTC with six fractional digits: with any other number of them the host takes the whole
/// line for plain text.
fn timestamp(at: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.microsecond(),
    )
}

/// The field that tracing keeps an event's message in.
const MESSAGE: &str = "message";

/// Fields and their values. Keys never begin with `@`: those are the line's own.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let key = field.name().trim_start_matches('@').to_owned();
        self.0.insert(key, value);
    }

    fn put_text(&mut self, field: &Field, text: &str) {
        self.put(field, Value::String(truncated(text)));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, &format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == MESSAGE {
            self.put_text(field, &value.to_string());
        } else {
            self.put(field, Value::Bool(value));
        }
    }
}

impl Fields {
    fn put_number(&mut self, field: &Field, value: impl Into<Value> + ToString) {
        if field.name() == MESSAGE {
            self.put_text(field, &value.to_string());
        } else {
            self.put(field, value.into());
        }
    }
}

fn truncated(text: &str) -> String {
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use time::Duration;

    use super::*;

    /// The lines written while `what` runs, taken apart.
    fn logged(threshold: LevelFilter, what: impl FnOnce()) -> Vec<Map<String, Value>> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&written);
        let lines = HclogLayer {
            threshold,
            module: "root",
            write: move |line: &[u8]| collected.lock().unwrap().push(line.to_vec()),
        };
        tracing::subscriber::with_default(Registry::default().with(lines), what);
        let written = written.lock().unwrap().clone();
        written
            .iter()
            .map(|line| {
                assert!(line.len() <= MAX_LINE_BYTES, "{}", line.len());
                let line = line.strip_suffix(b"\n").unwrap();
                assert!(!line.contains(&b'\n'));
                serde_json::from_slice(line).unwrap()
            })
            .collect()
    }

    fn only(mut lines: Vec<Map<String, Value>>) -> Map<String, Value> {
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    #[test]
    fn fields_become_pairs_and_the_message_is_the_lines_own() {
        let line = only(logged(LevelFilter::TRACE, || {
            tracing::info!(calls = 3, left = -1, done = true, who = "a", what = ?Some(1), "over");
        }));
        assert_eq!(line["@level"], "info");
        assert_eq!(line["@message"], "over");
        assert_eq!(line["@module"], "root.plugin.logs.tests");
        assert_eq!(line["calls"], 3);
        assert_eq!(line["left"], -1);
        assert_eq!(line["done"], true);
        assert_eq!(line["who"], "a");
        assert_eq!(line["what"], "Some(1)");
        assert_eq!(line.len(), 9);
    }

    #[test]
    fn whatever_an_event_carries_the_at_fields_are_strings() {
        let lines = logged(LevelFilter::TRACE, || {
            tracing::info!(message = 5);
            tracing::info!(message = true);
            tracing::info!({ "@level" = 5, "@module" = true, "@other" = 7 });
        });
        assert_eq!(lines.len(), 3);
        for line in &lines {
            let ours = line.iter().filter(|(key, _)| key.starts_with('@'));
            assert_eq!(ours.clone().count(), 4, "{line:?}");
            assert!(ours.clone().all(|(_, value)| value.is_string()), "{line:?}");
        }
        assert_eq!(lines[0]["@message"], "5");
        assert_eq!(lines[2]["@level"], "info");
        assert_eq!(lines[2]["other"], 7);
    }

    #[test]
    fn a_line_inside_spans_carries_their_fields() {
        let line = only(logged(LevelFilter::TRACE, || {
            let outer = tracing::info_span!("outer", rpc = "Read", attempt = 1, late = tracing::field::Empty);
            let _outer = outer.enter();
            outer.record("late", "yes");
            let _inner = tracing::info_span!("inner", attempt = 2).entered();
            tracing::debug!("here");
        }));
        assert_eq!(line["rpc"], "Read");
        assert_eq!(line["attempt"], 2);
        assert_eq!(line["late"], "yes");
    }

    #[test]
    fn only_what_is_ours_and_loud_enough_is_written() {
        let line = only(logged(LevelFilter::WARN, || {
            tracing::error!(target: "h2::codec", "somebody else's");
            tracing::error!(target: "terraform_provider_heygen_too", "almost ours");
            tracing::info!("too quiet");
            tracing::warn!("loud enough");
        }));
        assert_eq!(line["@message"], "loud enough");
    }

    #[test]
    fn long_texts_are_cut_and_too_many_of_them_left_out() {
        let nasty = "\u{1}é".repeat(MAX_TEXT_BYTES);
        let line = only(logged(LevelFilter::TRACE, || {
            tracing::info!(text = nasty, "one");
        }));
        assert!(line["text"].as_str().unwrap().ends_with(" bytes more)"));
        let line = only(logged(LevelFilter::TRACE, || {
            tracing::info!(a = nasty, b = nasty, "{nasty}");
        }));
        assert!(line["@message"].as_str().unwrap().ends_with(" bytes more)"));
        assert!(!line.contains_key("a"));
    }

    #[test]
    fn timestamps_have_six_fractional_digits_whatever_their_value() {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(timestamp(epoch), "1970-01-01T00:00:00.000000Z");
        let later = epoch + Duration::days(400) + Duration::nanoseconds(3_723_000_123_999);
        assert_eq!(timestamp(later), "1971-02-05T01:02:03.000123Z");
    }

    #[test]
    fn the_first_variable_set_to_something_decides() {
        let decided = |fields: &'static [(&str, &str)], default| {
            threshold(&["OWN", "HOST"], default, |name| {
                let found = fields.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let quiet = |fields| decided(fields, DefaultThreshold::Off);
        assert_eq!(quiet(&[]), LevelFilter::OFF);
        assert_eq!(decided(&[], DefaultThreshold::Trace), LevelFilter::TRACE);
        assert_eq!(quiet(&[("OWN", ""), ("HOST", "Info")]), LevelFilter::INFO);
        assert_eq!(quiet(&[("OWN", "error"), ("HOST", "info")]), LevelFilter::ERROR);
        assert_eq!(quiet(&[("HOST", "JSON")]), LevelFilter::TRACE);
        assert_eq!(quiet(&[("OWN", "off"), ("HOST", "trace")]), LevelFilter::OFF);
    }
}
