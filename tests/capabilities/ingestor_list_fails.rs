use strongroom::{Ingestor, Listing, RecordId};

fn reads_and_lists(ingestor: &Ingestor, record: RecordId) {
    let _ = ingestor.read(record);
    let _ = ingestor.list(&Listing::by_commit());
}

fn main() {}
