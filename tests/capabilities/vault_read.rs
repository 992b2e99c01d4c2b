use strongroom::{RecordId, TenantSession};

fn reads(session: &TenantSession, record: RecordId) {
    let _ = session.read(record);
}

fn main() {}
