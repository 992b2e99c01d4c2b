use strongroom::Record;

fn takes_the_wrapped_key(record: &Record) {
    let _ = &record.header().wrap;
}

fn main() {}
