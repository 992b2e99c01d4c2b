use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::VERSION;
use super::form::content_hash;
use super::import::text;
use super::normalise::{REPLACED, normalise};
use crate::id::RecordId;
use crate::record::{Channel, Head, Identifier, PartInfo, PartKind};

/// A part that goes into a document.
pub(crate) struct ExportPart<'a> {
    pub(crate) info: &'a PartInfo,
    pub(crate) content: Content,
}

/// Where a part's bytes are.
pub(crate) enum Content {
    Inline(Vec<u8>),
    /// In a file, under the name that ends the URL.
    External {
        url: String,
        sha512: [u8; 64],
    },
}

/// How the URLs of files in a bag begin: `invalid` is nobody's (RFC 2606).
pub(crate) const BAG_URL: &str = "https://bag.invalid/";

/// A strict document of a record that was not imported from one.
pub(crate) fn build(id: RecordId, head: &Head, parts: Vec<ExportPart<'_>>) -> Value {
    let mut parties: Vec<Value> = head.subjects.iter().map(party).collect();
    let handed_over = |part: &ExportPart<'_>| matches!(part.info.kind, PartKind::Attachment | PartKind::Original);
    if parties.is_empty() && parts.iter().any(handed_over) {
        // An attachment is somebody's.
        parties.push(json!({}));
    }
    let all: Vec<usize> = (0..parties.len()).collect();
    let start = head.time().to_string();
    let (mut dialogs, mut analyses, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
    for ExportPart { info, content } in parts {
        let mut entry = Map::new();
        entry.insert("mediatype".into(), info.media_type.clone().into());
        if let Some(name) = &info.name {
            entry.insert("filename".into(), name.clone().into());
        }
        match content {
            Content::External { url, sha512 } => {
                entry.insert("url".into(), url.into());
                entry.insert("content_hash".into(), format!("sha512-{}", URL_SAFE_NO_PAD.encode(sha512)).into());
            }
            Content::Inline(bytes) => {
                let textual = info.media_type.starts_with("text/") || info.media_type.starts_with("message/");
                let (encoding, body) = match String::from_utf8(bytes) {
                    Ok(text) if textual => ("none", text),
                    Ok(text) => ("base64url", URL_SAFE_NO_PAD.encode(text)),
                    Err(bytes) => ("base64url", URL_SAFE_NO_PAD.encode(bytes.into_bytes())),
                };
                entry.insert("encoding".into(), encoding.into());
                entry.insert("body".into(), body.into());
            }
        }
        match info.kind {
            PartKind::Audio | PartKind::Chat | PartKind::Email => {
                let spoken = info.kind == PartKind::Audio;
                entry.insert("type".into(), if spoken { "recording" } else { "text" }.into());
                entry.insert("start".into(), start.clone().into());
                entry.insert("parties".into(), json!(all));
                if let Some(ms) = head.duration_ms.filter(|_| spoken) {
                    entry.insert("duration".into(), json!(ms as f64 / 1000.0));
                }
                if let Some(queue) = &head.queue {
                    entry.insert("skill".into(), queue.clone().into());
                }
                dialogs.push(Value::Object(entry));
            }
            PartKind::Transcript | PartKind::Analysis => {
                let spoken = info.kind == PartKind::Transcript;
                entry.insert("type".into(), if spoken { "transcript" } else { "report" }.into());
                entry.insert("vendor".into(), "unknown".into());
                analyses.push(Value::Object(entry));
            }
            PartKind::Attachment | PartKind::Original => {
                let purpose = if info.kind == PartKind::Original { "original document" } else { "attachment" };
                entry.insert("purpose".into(), purpose.into());
                entry.insert("start".into(), start.clone().into());
                entry.insert("party".into(), json!(0));
                entry.insert("dialog".into(), json!(0));
                attachments.push(Value::Object(entry));
            }
        }
    }
    if dialogs.is_empty() {
        // An analysis without what it is about, as where a call was transcribed and not recorded.
        let interaction = if head.channel == Channel::Voice { "recording" } else { "text" };
        dialogs.push(json!({ "type": interaction, "start": start, "parties": all }));
    }
    for analysis in &mut analyses {
        analysis["dialog"] = json!(0);
    }
    let mut top = json!({
        "vcon": VERSION,
        "uuid": id.to_string(),
        "extensions": ["CC"],
        "created_at": head.ingested.to_string(),
        "sessions": [{ "start": start, "parties": all, "dialog": (0..dialogs.len()).collect::<Vec<_>>() }],
        "parties": parties,
        "dialog": dialogs,
        "analysis": analyses,
        "attachments": attachments,
    });
    if let Some(old) = head.amends {
        top["amended"] = json!({ "uuid": old.to_string() });
    }
    if let Some(ms) = head.duration_ms {
        top["sessions"][0]["duration"] = json!(ms as f64 / 1000.0);
    }
    let said = [
        ("direction", head.direction.map(|d| format!("{d:?}").to_lowercase())),
        ("agent", head.agent.clone()),
        ("queue", head.queue.clone()),
        ("language", head.language.clone()),
        ("policy_version", head.policy_version.clone()),
        ("idempotency_key", head.idempotency_key.clone()),
        ("channel", Some(head.channel.to_string())),
    ];
    let mut meta: Map<String, Value> =
        said.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into()))).collect();
    meta.insert("tags".into(), json!(head.tags));
    // What the standard has no member for.
    top["strongroom"] = Value::Object(meta);
    top
}

/// Adds to a normalised document what it does not say of its record: parts, and what the head says if it `adds` anything.
pub(crate) fn append(document: &mut Value, id: RecordId, head: &Head, parts: Vec<ExportPart<'_>>, adds: bool) {
    if parts.is_empty() && !adds {
        return;
    }
    let mut built = build(id, head, parts);
    for list in ["dialog", "analysis", "attachments"] {
        let Some(Value::Array(entries)) = built.get_mut(list).map(Value::take) else { continue };
        for mut entry in entries {
            let Some(members) = entry.as_object_mut() else { continue };
            if !members.contains_key("body") && !members.contains_key("url") {
                // Stood in for what the document has.
                continue;
            }
            if list == "dialog" {
                // Its parties are those of the head.
                members.remove("parties");
            }
            if let Some(Value::Array(all)) = document.as_object_mut().map(|top| top.entry(list).or_insert(json!([]))) {
                all.push(entry);
            }
        }
    }
    if adds {
        let mut said = built["strongroom"].take();
        said["parties"] = built["parties"].take();
        let name = if document.get("strongroom").is_some() { "strongroom_record" } else { "strongroom" };
        document[name] = said;
    }
    *document = normalise(document).0;
}

/// The place of an entry without a body that a part was taken for from a file: by name, digest, and being `free`.
pub(crate) fn referring(
    strict: &Value,
    told: &Value,
    info: &PartInfo,
    free: impl Fn(&String) -> bool,
) -> Option<String> {
    let lists = ["dialog", "analysis", "attachments"].into_iter();
    let mut entries = lists.flat_map(|list| {
        let all = strict.get(list).and_then(Value::as_array).into_iter().flatten();
        all.enumerate().map(move |(at, entry)| (list, at, entry))
    });
    entries.find_map(|(list, at, entry)| {
        let place = format!("/{list}/{at}");
        // As the import looks for it.
        let source = if entry.get("url").is_some() { entry } else { told.pointer(&place).unwrap_or(entry) };
        let named = text(entry, "filename").map_or_else(|| format!("{list}-{at}"), str::to_owned);
        let fits = entry.get("body").is_none()
            && text(source, "url").is_some()
            && info.name.as_deref() == Some(named.as_str())
            && info.digest == content_hash(source);
        (fits && free(&place)).then_some(place)
    })
}

/// The name that an entry gives its file, or that its URL ends in.
pub(crate) fn file_name(document: &Value, place: &str) -> Option<String> {
    let entry = document.pointer(place)?;
    let url = text(entry, "url");
    // As the import looks for it.
    let filename = text(entry, "filename").filter(|_| !url.is_some_and(|url| url.starts_with(BAG_URL)));
    filename.or_else(|| url_end(url?)).map(str::to_owned)
}

/// Makes an entry refer to a file of a bag, unless a reader finds that by what the entry says already.
pub(crate) fn refer(document: &mut Value, place: &str, name: &str, url: &str, sha512: &[u8; 64]) {
    let hash = format!("sha512-{}", URL_SAFE_NO_PAD.encode(sha512));
    let found = file_name(document, place).as_deref() == Some(name);
    let Some(Value::Object(entry)) = document.pointer_mut(place) else { return };
    if found && entry.contains_key("url") {
        return;
    }
    let told = [
        ("url", entry.insert("url".into(), url.into())),
        ("content_hash", entry.insert("content_hash".into(), hash.into())),
    ];
    for (member, told) in told {
        if let (Some(told), Some(top)) = (told, document.as_object_mut())
            && let Value::Object(replaced) = top.entry(REPLACED).or_insert(json!({}))
        {
            replaced.entry(format!("{place}/{member}")).or_insert(told);
        }
    }
    *document = normalise(document).0;
}

/// What stands behind a URL's last slash, without query and fragment.
pub(super) fn url_end(url: &str) -> Option<&str> {
    url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next())
}

fn party(subject: &crate::record::Subject) -> Value {
    let mut party = json!({ "role": subject.role.as_str() });
    if let Some(name) = &subject.name {
        party["name"] = name.clone().into();
    }
    let mut more = Vec::new();
    for identifier in &subject.identifiers {
        let (member, value) = match identifier.scheme() {
            "tel" => ("tel", identifier.value().to_owned()),
            "mailto" => ("mailto", identifier.value().to_owned()),
            _ => ("customer", identifier.value().to_owned()),
        };
        if member == "customer" || party.get(member).is_some() {
            more.push(Identifier::to_string(identifier));
        } else {
            party[member] = value.into();
        }
    }
    if !more.is_empty() {
        party["strongroom_identifiers"] = json!(more);
    }
    party
}
