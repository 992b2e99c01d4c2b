use std::fmt::Debug;

use strongroom::{Identity, WriterKey};

fn prints<T: Debug>() {}

fn main() {
    prints::<Identity>();
    prints::<WriterKey>();
}
