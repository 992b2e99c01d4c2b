use std::fmt::Debug;

use strongroom::{PublicKey, Recipient};

fn prints<T: Debug>() {}

fn main() {
    prints::<Recipient>();
    prints::<PublicKey>();
}
