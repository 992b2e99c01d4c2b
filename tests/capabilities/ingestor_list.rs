use strongroom::{Listing, RecordId, TenantSession};

fn reads_and_lists(session: &TenantSession, record: RecordId) {
    let _ = session.read(record);
    let _ = session.list(&Listing::by_commit());
}

fn main() {}
