use strongroom::{Draft, TenantSession};

fn ingests(session: &TenantSession, draft: Draft<'_>) {
    let _ = session.ingest(draft);
}

fn main() {}
