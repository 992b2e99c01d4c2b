use strongroom::{Draft, Ingestor};

fn ingests(ingestor: &Ingestor, draft: Draft<'_>) {
    let _ = ingestor.ingest(draft);
}

fn main() {}
