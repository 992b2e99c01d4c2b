use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::VERSION;
use super::form::{content_hash, decode_base64};
use crate::id::{hex, unhex};
use crate::record::{Coercion, ProducerDigest};
use crate::time::Timestamp;

/// Where a document keeps what a strict member could not hold, by its place.
pub(super) const REPLACED: &str = "strongroom_replaced";
/// Members of the contact-centre extension.
const CC_DIALOG: [&str; 5] = ["interaction_type", "interaction_id", "campaign", "skill", "flow_id"];

/// Makes a strict document of version 0.4.0 of a vCon of any version, and lists what was changed.
///
/// It validates against the working group's schema. Members that the schema does not know stay where they are, values
/// that a strict member cannot hold are kept under `strongroom_replaced` by their place, and no time zone is guessed: a
/// time without one is replaced by the document's creation. A document that is strict already is given back as it is.
pub fn normalise(document: &Value) -> (Value, Vec<Coercion>) {
    let mut work = Work { replaced: Map::new(), coercions: Vec::new() };
    let mut top = document.as_object().cloned().unwrap_or_default();
    match top.get(REPLACED) {
        Some(Value::Object(before)) => work.replaced = before.clone(),
        Some(_) => work.take_out(&mut top, "", REPLACED),
        None => {}
    }
    work.top(&mut top, document);
    if work.replaced.is_empty() {
        top.remove(REPLACED);
    } else {
        top.insert(REPLACED.into(), Value::Object(work.replaced));
    }
    (Value::Object(top), work.coercions)
}

struct Work {
    replaced: Map<String, Value>,
    coercions: Vec<Coercion>,
}

type Members = Map<String, Value>;

impl Work {
    fn note(&mut self, place: &str, made: &'static str) {
        self.coercions.push(Coercion::new(place, made));
    }

    /// Keeps a value that a strict member cannot hold.
    fn keep(&mut self, place: &str, value: Value, made: &'static str) {
        self.note(place, made);
        // The first that was there is the producer's.
        self.replaced.entry(place).or_insert(value);
    }

    fn top(&mut self, top: &mut Members, document: &Value) {
        if top.get("vcon").and_then(Value::as_str) != Some(VERSION) {
            match top.insert("vcon".into(), VERSION.into()) {
                Some(version) => self.keep("/vcon", version, "made 0.4.0 of another version"),
                None => self.note("/vcon", "added the version"),
            }
        }
        if !top.get("uuid").and_then(Value::as_str).is_some_and(is_uuid) {
            let uuid = uuid_of(document);
            match top.insert("uuid".into(), uuid.into()) {
                Some(other) => self.keep("/uuid", other, "no UUID: one of the document's digest stands in"),
                None => self.note("/uuid", "missing: one of the document's digest stands in"),
            }
        }
        self.rename(top, "", "appended", "amended");
        for name in ["redacted", "amended"] {
            match top.get(name) {
                Some(Value::Object(members)) if members.is_empty() => {
                    top.remove(name);
                    self.keep(&format!("/{name}"), json!({}), "left an empty reference out");
                }
                Some(Value::Object(_)) => {
                    let Some(Value::Object(mut members)) = top.remove(name) else { continue };
                    self.reference(&mut members, &format!("/{name}"), name == "redacted");
                    top.insert(name.into(), Value::Object(members));
                }
                Some(_) => self.take_out(top, "", name),
                None => {}
            }
        }
        // Reserved by 0.4.0 for later.
        self.take_out(top, "", "group");
        if top.contains_key("redacted") {
            self.take_out(top, "", "amended");
        }
        if top.get("amended").is_some_and(|a| a.get("uuid").is_none() && a.get("url").is_none()) {
            self.take_out(top, "", "amended");
        }
        self.creation(top);
        self.optional_time(top, "", "updated_at");
        self.text(top, "", "subject");
        for name in ["extensions", "critical"] {
            if top.get(name).is_some_and(|v| !v.as_array().is_some_and(|all| all.iter().all(Value::is_string))) {
                self.take_out(top, "", name);
            }
        }
        let created = top.get("created_at").cloned().unwrap_or_default();
        let starts = self.all(top, "dialog", |work, members, place| work.dialog(members, place, &created));
        self.all(top, "parties", Self::party);
        self.all(top, "analysis", Self::analysis);
        let first = starts.first().cloned().unwrap_or(created);
        let none = |top: &Members, list: &str| top.get(list).and_then(Value::as_array).is_none_or(Vec::is_empty);
        if !none(top, "attachments") && none(top, "parties") {
            top.insert("parties".into(), json!([{}]));
            self.note("/parties", "attachments are somebody's: one of whom nothing is known stands in");
        }
        self.all(top, "attachments", |work, members, place| work.attachment(members, place, &first));
        self.extension(top);
    }

    /// Works on every entry of a list and gives the `start` of each.
    fn all(
        &mut self,
        top: &mut Members,
        name: &str,
        mut each: impl FnMut(&mut Self, &mut Members, &str),
    ) -> Vec<Value> {
        let mut starts = Vec::new();
        match top.get_mut(name) {
            None => {}
            Some(Value::Array(entries)) => {
                for (at, entry) in entries.iter_mut().enumerate() {
                    let place = format!("/{name}/{at}");
                    if !entry.is_object() {
                        let other = std::mem::replace(entry, json!({}));
                        self.keep(&place, other, "no object: an empty one stands in");
                    }
                    if let Value::Object(members) = entry {
                        each(self, members, &place);
                        starts.extend(members.get("start").cloned());
                    }
                }
            }
            Some(_) => self.take_out(top, "", name),
        }
        starts
    }

    fn creation(&mut self, top: &mut Members) {
        let told = top.get("created_at").cloned();
        if told.as_ref().is_some_and(is_strict) {
            return;
        }
        if let Some(time) = told.as_ref().and_then(moment) {
            self.keep("/created_at", told.unwrap_or_default(), "rewrote a time");
            top.insert("created_at".into(), time);
            return;
        }
        let dialogs = top.get("dialog").and_then(Value::as_array).into_iter().flatten();
        let others = ["updated_at"].iter().filter_map(|name| top.get(*name));
        let known = others.chain(dialogs.filter_map(|d| d.get("start"))).find_map(moment);
        let stand_in = known.unwrap_or_else(|| "1970-01-01T00:00:00.000Z".into());
        match told {
            Some(told) => {
                self.keep("/created_at", told, "no time with a zone: another of the document's stands in, or 1970")
            }
            None => self.note("/created_at", "missing: another time of the document stands in, or 1970"),
        }
        top.insert("created_at".into(), stand_in);
    }

    fn party(&mut self, party: &mut Members, place: &str) {
        if !party.contains_key("mailto") {
            self.rename(party, place, "email", "mailto");
        }
        for name in [
            "tel",
            "sip",
            "stir",
            "mailto",
            "name",
            "did",
            "validation",
            "gmlpos",
            "uuid",
            "type",
            "org",
            "dept",
            "role",
        ] {
            self.text(party, place, name);
        }
        let address = |v: &Value| v.as_object().is_some_and(|all| all.values().all(Value::is_string));
        if party.get("civicaddress").is_some_and(|v| !address(v)) {
            self.take_out(party, place, "civicaddress");
        }
    }

    fn dialog(&mut self, dialog: &mut Members, place: &str, created: &Value) {
        self.rename(dialog, place, "mimetype", "mediatype");
        for name in [
            "mediatype",
            "filename",
            "application",
            "message_id",
            "interaction_id",
            "interaction_type",
            "campaign",
            "skill",
        ] {
            self.text(dialog, place, name);
        }
        let media = dialog.get("mediatype").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let known = ["recording", "text", "transfer", "incomplete", "recording-set"];
        if !dialog.get("type").and_then(Value::as_str).is_some_and(|t| known.contains(&t)) {
            let sounds = ["audio/", "video/"].iter().any(|kind| media.starts_with(kind));
            let stand_in = if sounds { "recording" } else { "text" };
            match dialog.insert("type".into(), stand_in.into()) {
                Some(other) => {
                    self.keep(&format!("{place}/type"), other, "no type of dialog: that of its content stands in")
                }
                None => self.note(&format!("{place}/type"), "missing: that of its content stands in"),
            }
        }
        self.required_time(dialog, place, "start", created);
        if let Some(duration) = dialog.get("duration")
            && !duration.as_f64().is_some_and(|d| d >= 0.0)
        {
            let told = duration.clone();
            let read =
                duration.as_str().and_then(|d| d.trim().parse::<f64>().ok()).filter(|d| *d >= 0.0 && d.is_finite());
            let place = format!("{place}/duration");
            match read.and_then(serde_json::Number::from_f64) {
                Some(number) => {
                    dialog.insert("duration".into(), Value::Number(number));
                    self.keep(&place, told, "made a number of a text");
                }
                None => {
                    dialog.remove("duration");
                    self.keep(&place, told, "left what is no duration out");
                }
            }
        }
        for name in [
            "parties",
            "originator",
            "recordings",
            "recording_set",
            "transferee",
            "transferor",
            "transfer_target",
            "original",
            "consultation",
            "target_dialog",
        ] {
            let lists = !["originator", "recording_set", "transferee", "transferor"].contains(&name);
            self.indexes(dialog, place, name, lists, name == "parties");
        }
        // The one list of them that may not be a number alone.
        if let Some(one) = dialog.get("recordings").filter(|one| one.is_u64()).cloned() {
            dialog.insert("recordings".into(), json!([one]));
            self.keep(&format!("{place}/recordings"), one, "made a list of a number");
        }
        let events = ["join", "drop", "hold", "unhold", "mute", "unmute", "keydown", "keyup"];
        let event = |e: &Value| {
            e.get("party").is_some_and(Value::is_u64)
                && e.get("time").is_some_and(is_strict)
                && e.get("event").and_then(Value::as_str).is_some_and(|e| events.contains(&e))
                && e.get("button").is_none_or(Value::is_string)
        };
        if dialog.get("party_history").is_some_and(|v| !v.as_array().is_some_and(|all| all.iter().all(event))) {
            self.take_out(dialog, place, "party_history");
        }
        fn session(id: &Value) -> bool {
            match id {
                Value::Array(all) => all.iter().all(session),
                Value::Object(id) => ["local", "remote"].iter().all(|n| id.get(*n).is_none_or(Value::is_string)),
                _ => false,
            }
        }
        if dialog.get("session_id").is_some_and(|id| !session(id)) {
            self.take_out(dialog, place, "session_id");
        }
        let dispositions = ["no-answer", "congestion", "failed", "busy", "hung-up", "voicemail-no-message"];
        let told = dialog.get("disposition").map(|d| d.as_str().is_some_and(|d| dispositions.contains(&d)));
        if told == Some(false) {
            self.take_out(dialog, place, "disposition");
        }
        let incomplete = dialog.get("type").is_some_and(|t| t == "incomplete");
        if !incomplete {
            self.take_out(dialog, place, "disposition");
        } else if !dialog.contains_key("disposition") {
            dialog.insert("disposition".into(), "failed".into());
            self.note(&format!("{place}/disposition"), "missing: \"failed\" stands in");
        }
        if dialog.get("type").is_some_and(|t| t == "transfer") {
            self.take_out(dialog, place, "parties");
            self.take_out(dialog, place, "originator");
        }
        self.content(dialog, place);
    }

    fn analysis(&mut self, analysis: &mut Members, place: &str) {
        self.rename(analysis, place, "mimetype", "mediatype");
        for name in ["type", "vendor", "product", "schema", "mediatype", "filename"] {
            self.text(analysis, place, name);
        }
        for name in ["type", "vendor"] {
            if !analysis.contains_key(name) {
                analysis.insert(name.into(), "unknown".into());
                self.note(&format!("{place}/{name}"), "missing: \"unknown\" stands in");
            }
        }
        for name in ["dialog", "attachment"] {
            self.indexes(analysis, place, name, true, false);
        }
        self.content(analysis, place);
    }

    fn attachment(&mut self, attachment: &mut Members, place: &str, start: &Value) {
        if !attachment.contains_key("purpose") {
            self.rename(attachment, place, "type", "purpose");
        }
        self.rename(attachment, place, "mimetype", "mediatype");
        for name in ["purpose", "mediatype", "filename"] {
            self.text(attachment, place, name);
        }
        self.required_time(attachment, place, "start", start);
        for name in ["party", "dialog"] {
            self.indexes(attachment, place, name, false, false);
            if !attachment.contains_key(name) {
                attachment.insert(name.into(), json!(0));
                self.note(&format!("{place}/{name}"), "missing: the first stands in");
            }
        }
        self.content(attachment, place);
    }

    /// Body and encoding, or reference and hash.
    fn content(&mut self, entry: &mut Members, place: &str) {
        let at = format!("{place}/encoding");
        if entry.get("body").is_some_and(Value::is_null) {
            entry.remove("body");
            self.keep(&format!("{place}/body"), Value::Null, "left an empty body out");
        }
        let encoding = entry.get("encoding").and_then(Value::as_str).map(str::to_owned);
        match entry.get("body") {
            Some(Value::String(body)) => {
                let decoded = || decode_base64(body).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
                match encoding.as_deref() {
                    Some("none") => {}
                    // A JSON document in a string, or a string that is one.
                    Some("json") => {}
                    Some("base64url") => {
                        if let Some(strict) = decoded().filter(|strict| strict != body) {
                            self.note(
                                &format!("{place}/body"),
                                "rewrote base64 without padding, in the alphabet of URLs",
                            );
                            entry.insert("body".into(), strict.into());
                        }
                    }
                    other => {
                        let media = entry.get("mediatype").and_then(Value::as_str).unwrap_or("text/plain");
                        let packed = other == Some("base64")
                            || !(media.starts_with("text/")
                                || media.starts_with("message/")
                                || media.starts_with("multipart/"));
                        let strict = decoded().filter(|_| packed);
                        let encoding = if strict.is_some() { "base64url" } else { "none" };
                        if let Some(strict) = strict {
                            entry.insert("body".into(), strict.into());
                        }
                        match entry.insert("encoding".into(), encoding.into()) {
                            Some(other) => self.keep(&at, other, "no encoding: that of the body stands in"),
                            None => self.note(&at, "missing: that of the body stands in"),
                        }
                    }
                }
            }
            Some(_) if encoding.as_deref() != Some("json") => match entry.insert("encoding".into(), "json".into()) {
                Some(other) => self.keep(&at, other, "the body is JSON"),
                None => self.note(&at, "missing: the body is JSON"),
            },
            Some(_) => {}
            None => self.take_out(entry, place, "encoding"),
        }
        if entry.contains_key("body") && !entry.contains_key("mediatype") {
            let media = match entry.get("encoding").and_then(Value::as_str) {
                Some("json") => "application/json",
                Some("none") => "text/plain",
                _ => "application/octet-stream",
            };
            entry.insert("mediatype".into(), media.into());
            self.note(&format!("{place}/mediatype"), "missing: that of the encoding stands in");
        }
        // Folded header lines come with messages.
        if let Some(media) = entry.get("mediatype").and_then(Value::as_str)
            && media.contains(char::is_control)
        {
            let (told, dense) = (media.to_owned(), media.split_whitespace().collect::<Vec<_>>().join(" "));
            let dense: String = dense.chars().filter(|c| !c.is_control()).collect();
            entry.insert("mediatype".into(), dense.into());
            self.keep(&format!("{place}/mediatype"), told.into(), "unfolded");
        }
        self.reference(entry, place, false);
    }

    fn reference(&mut self, entry: &mut Members, place: &str, is_redacted: bool) {
        if is_redacted && !entry.get("type").is_some_and(Value::is_string) {
            match entry.insert("type".into(), "unknown".into()) {
                Some(other) => self.keep(&format!("{place}/type"), other, "no text: \"unknown\" stands in"),
                None => self.note(&format!("{place}/type"), "missing: \"unknown\" stands in"),
            }
        }
        if entry.get("uuid").is_some_and(|v| !v.as_str().is_some_and(is_uuid)) {
            self.take_out(entry, place, "uuid");
        }
        if entry.get("url").is_some_and(|v| !v.as_str().is_some_and(is_uri)) {
            self.take_out(entry, place, "url");
        }
        let hash = |v: &Value| v.is_string() || v.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        if entry.get("content_hash").is_some_and(|v| !hash(v)) {
            self.take_out(entry, place, "content_hash");
        }
        let secure = entry.get("url").and_then(Value::as_str).is_some_and(|url| url.starts_with("https://"));
        let refers = secure && !entry.contains_key("body");
        if refers
            && !entry.contains_key("content_hash")
            && entry.contains_key("alg")
            && let Some(digest) = content_hash(&Value::Object(entry.clone()))
        {
            let (name, digest) = match digest {
                ProducerDigest::Sha256(digest) => ("sha256", digest),
                ProducerDigest::Sha512(digest) => ("sha512", digest),
            };
            entry.insert("content_hash".into(), format!("{name}-{}", URL_SAFE_NO_PAD.encode(digest)).into());
            self.note(&format!("{place}/content_hash"), "made of alg and signature");
        }
        // A reference is to something that cannot have changed, and there is one or the content itself.
        if !refers || !is_sha512(entry.get("content_hash")) {
            self.take_out(entry, place, "url");
            self.take_out(entry, place, "content_hash");
        }
    }

    fn extension(&mut self, top: &mut Members) {
        let any = |list: &str, names: &[&str]| {
            let entries = top.get(list).and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(Value::as_object).any(|entry| names.iter().any(|name| entry.contains_key(*name)))
        };
        if !any("parties", &["role", "contact_list"]) && !any("dialog", &CC_DIALOG) {
            // Whatever else is in it and not of the core needs a name, too.
            let none = top.get("extensions").and_then(Value::as_array).is_none_or(Vec::is_empty);
            if none && (has_others(top) || !self.replaced.is_empty()) {
                top.insert("extensions".into(), json!(["strongroom"]));
                self.note("/extensions", "named one for members that are not of the core");
            }
            return;
        }
        let extensions = top.entry("extensions").or_insert_with(|| json!([]));
        if let Value::Array(all) = extensions
            && !all.iter().any(|e| e == "CC")
        {
            all.push("CC".into());
            self.note("/extensions", "named the contact-centre extension");
        }
    }

    fn rename(&mut self, entry: &mut Members, place: &str, old: &str, new: &str) {
        if entry.contains_key(new) {
            return;
        }
        if let Some(value) = entry.remove(old) {
            entry.insert(new.into(), value);
            self.note(&format!("{place}/{old}"), "renamed as 0.4.0 has it");
        }
    }

    /// A member that must be text.
    fn text(&mut self, entry: &mut Members, place: &str, name: &str) {
        let Some(value) = entry.get(name) else { return };
        let told = value.clone();
        match value {
            Value::String(_) => {}
            Value::Number(_) | Value::Bool(_) => {
                entry.insert(name.into(), told.to_string().into());
                self.keep(&format!("{place}/{name}"), told, "made a text of it");
            }
            _ => self.take_out(entry, place, name),
        }
    }

    fn take_out(&mut self, entry: &mut Members, place: &str, name: &str) {
        if let Some(value) = entry.remove(name) {
            self.keep(&format!("{place}/{name}"), value, "left out what does not fit");
        }
    }

    fn optional_time(&mut self, entry: &mut Members, place: &str, name: &str) {
        let Some(told) = entry.get(name).filter(|told| !is_strict(told)).cloned() else { return };
        match moment(&told) {
            Some(time) => {
                entry.insert(name.into(), time);
                self.keep(&format!("{place}/{name}"), told, "rewrote a time");
            }
            None => self.take_out(entry, place, name),
        }
    }

    fn required_time(&mut self, entry: &mut Members, place: &str, name: &str, stand_in: &Value) {
        self.optional_time(entry, place, name);
        if !entry.contains_key(name) {
            entry.insert(name.into(), stand_in.clone());
            self.note(&format!("{place}/{name}"), "no time with a zone: the document's stands in");
        }
    }

    /// Indexes into a list: a number, or a list of them, of which each may be one.
    fn indexes(&mut self, entry: &mut Members, place: &str, name: &str, lists: bool, nested: bool) {
        let Some(value) = entry.get(name) else { return };
        let flat = |v: &Value| v.as_array().is_some_and(|all| all.iter().all(Value::is_u64));
        let deep = |v: &Value| {
            v.as_array().is_some_and(|all| all.iter().all(|inner| inner.is_u64() || inner.is_null() || flat(inner)))
        };
        if value.is_u64() || (lists && flat(value)) || (nested && deep(value)) {
            return;
        }
        let told = value.clone();
        let number = |v: &Value| v.as_str().and_then(|s| s.trim().parse::<u64>().ok()).or_else(|| v.as_u64());
        let read = match &told {
            Value::Array(all) if lists => all.iter().map(number).collect::<Option<Vec<_>>>().map(|all| json!(all)),
            other => number(other).map(|n| json!(n)),
        };
        match read {
            Some(read) => {
                entry.insert(name.into(), read);
                self.keep(&format!("{place}/{name}"), told, "made numbers of texts");
            }
            None => self.take_out(entry, place, name),
        }
    }
}

/// Whether there are members that 0.4.0 does not know.
fn has_others(top: &Members) -> bool {
    const TOP: &str = " vcon uuid extensions critical created_at updated_at subject redacted amended parties dialog analysis attachments ";
    const PARTY: &str = " tel sip stir mailto name did validation gmlpos civicaddress uuid type org dept ";
    const CONTENT: &str = " mediatype filename body encoding url content_hash ";
    const DIALOG: &str = " type start duration parties originator recordings recording_set disposition session_id party_history transferee transferor transfer_target original consultation target_dialog application message_id ";
    const ANALYSIS: &str = " type vendor dialog attachment product schema ";
    const ATTACHMENT: &str = " purpose start party dialog ";
    let knows = |lists: &[&str], name: &str| lists.iter().any(|list| list.contains(&format!(" {name} ")));
    let others = |members: &Members, lists: &[&str]| members.keys().any(|name| !knows(lists, name));
    let any = |list: &str, known: &[&str]| {
        let entries = top.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(Value::as_object).any(|entry| others(entry, known))
    };
    others(top, &[TOP])
        || any("parties", &[PARTY])
        || any("dialog", &[DIALOG, CONTENT])
        || any("analysis", &[ANALYSIS, CONTENT])
        || any("attachments", &[ATTACHMENT, CONTENT])
}

/// One SHA-512 as 0.4.0 writes it, or several.
fn is_sha512(hash: Option<&Value>) -> bool {
    let one = |text: &str| {
        text.strip_prefix("sha512-").is_some_and(|d| URL_SAFE_NO_PAD.decode(d).is_ok_and(|bytes| bytes.len() == 64))
    };
    match hash {
        Some(Value::String(text)) => one(text),
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(|h| h.as_str().is_some_and(one)),
        _ => false,
    }
}

fn is_strict(value: &Value) -> bool {
    // RFC 3339 allows a space between date and time, and leap seconds; the schema's validators do not.
    let plain = |text: &str| text.as_bytes().get(10) != Some(&b' ') && text.get(16..19) != Some(":60");
    value.as_str().is_some_and(|text| plain(text) && text.parse::<Timestamp>().is_ok())
}

/// A time in RFC 3339, if it can be told without guessing.
pub(super) fn moment(value: &Value) -> Option<Value> {
    timestamp(value).map(|time| time.to_string().into())
}

pub(super) fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let basic = || {
                // `+0100` for `+01:00`.
                let at = text.len().checked_sub(2)?;
                let (front, minutes) = text.split_at_checked(at)?;
                format!("{front}:{minutes}").parse().ok()
            };
            let mail = || {
                let date = mail_parser::DateTime::parse_rfc822(text)?;
                // Its own rendering is RFC 3339; what has no zone in it was not told one.
                let zoned = text.rsplit(' ').next().is_some_and(|zone| zone.len() >= 2 && zone != "-0000");
                let utc = text.ends_with("-0000");
                (date.is_valid() && (zoned || utc)).then(|| date.to_rfc3339().parse().ok()).flatten()
            };
            text.parse().ok().or_else(basic).or_else(mail)
        }
        // Seconds or milliseconds since 1970 are the same everywhere.
        Value::Number(number) => {
            let number = number.as_f64().filter(|n| (0.0..1e13).contains(n))?;
            let ms = if number < 1e11 { number * 1000.0 } else { number };
            Some(Timestamp::from_unix_ms(ms as i64))
        }
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-')
        && unhex(&text.replace('-', "").to_ascii_lowercase()).is_some_and(|bytes| bytes.len() == 16)
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let valid = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(valid)
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c))
}

/// A UUID of version 8 (RFC 9562) of a document's digest.
fn uuid_of(document: &Value) -> String {
    let digest = Sha256::digest(document.to_string());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id[6] = 0x80 | id[6] & 0x0f;
    id[8] = 0x80 | id[8] & 0x3f;
    let h = hex(&id);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}
