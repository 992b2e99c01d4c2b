use strongroom::{PublicKey, Recipient};

fn copies<T: Clone>() {}

fn main() {
    copies::<Recipient>();
    copies::<PublicKey>();
}
