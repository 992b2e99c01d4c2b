use strongroom::Record;

fn takes_the_key(record: &Record) {
    let _ = &record.key;
}

fn main() {}
