use strongroom::{Quorum, Record, RecordId};

fn reads_a_record(quorum: &Quorum, record: RecordId) -> Record {
    quorum.read(record).unwrap()
}

fn main() {}
