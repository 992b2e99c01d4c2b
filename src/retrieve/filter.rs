use crate::record::{Channel, Direction, Head, Identifier};

/// What a record's head must say to be listed; nothing is asked of what is `None` or empty.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    pub(crate) subject: Option<Identifier>,
    pub(crate) channel: Option<Channel>,
    pub(crate) direction: Option<Direction>,
    pub(crate) queue: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) tags: Vec<String>,
}

impl Filter {
    pub(crate) fn asks_nothing(&self) -> bool {
        let Self { subject, channel, direction, queue, agent, language, tags } = self;
        let texts = [queue, agent, language].into_iter().all(Option::is_none);
        subject.is_none() && channel.is_none() && direction.is_none() && texts && tags.is_empty()
    }

    pub(crate) fn admits(&self, head: &Head) -> bool {
        fn asked<T: PartialEq>(asked: &Option<T>, told: Option<&T>) -> bool {
            asked.as_ref().is_none_or(|asked| told == Some(asked))
        }
        let Self { subject, channel, direction, queue, agent, language, tags } = self;
        subject.as_ref().is_none_or(|who| names(head, who))
            && asked(channel, Some(&head.channel))
            && asked(direction, head.direction.as_ref())
            && asked(queue, head.queue.as_ref())
            && asked(agent, head.agent.as_ref())
            && tags.iter().all(|tag| head.tags.contains(tag))
            && language.as_ref().is_none_or(|range| head.language.as_ref().is_some_and(|tag| in_range(tag, range)))
    }
}

/// Whether a head names somebody by an identifier.
pub(crate) fn names(head: &Head, who: &Identifier) -> bool {
    head.subjects.iter().any(|subject| subject.identifiers.contains(who))
}

/// Basic filtering of RFC 4647 section 3.3.1: `de` admits `de` and `de-CH`, but not `den`.
fn in_range(tag: &str, range: &str) -> bool {
    let same = tag.get(..range.len()).is_some_and(|start| start.eq_ignore_ascii_case(range));
    same && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::in_range;

    #[test]
    fn a_language_range_admits_its_own_kind_only() {
        for (tag, range, admitted) in [
            ("de-CH", "de", true),
            ("DE", "de", true),
            ("den", "de", false),
            ("de", "de-CH", false),
            ("d", "de", false),
            ("zh-Hant-TW", "zh-hant", true),
            ("é", "x", false),
        ] {
            assert_eq!(in_range(tag, range), admitted, "{tag} in {range}");
        }
    }
}
