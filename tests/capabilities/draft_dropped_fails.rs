#![deny(unused_must_use)]

use strongroom::{Channel, Draft, PartKind};

fn main() {
    Draft::new(Channel::Voice).part(PartKind::Transcript, "text/plain", &b"Hello."[..]);
}
