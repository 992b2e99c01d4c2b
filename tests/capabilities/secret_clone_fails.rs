use strongroom::{Identity, WriterKey};

fn copies<T: Clone>() {}

fn main() {
    copies::<Identity>();
    copies::<WriterKey>();
}
