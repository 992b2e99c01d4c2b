use strongroom::{Quorum, RecordId};

fn says_which_records(quorum: &Quorum) -> Vec<RecordId> {
    quorum.records()
}

fn main() {}
