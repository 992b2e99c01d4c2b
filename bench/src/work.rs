//! What is measured, in words that fit on a line between two processes, and the bytes that it is measured with.

use std::fmt;
use std::str::FromStr;

/// One timed piece of work, the same for every store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// `count` recordings of `len` bytes, one per commit.
    Audio { len: usize, count: usize },
    /// `count` transcripts of 4 KB, `batch` per commit.
    Texts { count: usize, batch: usize },
    /// `count` reads of random transcripts among `stored`, by id.
    Get { stored: usize, count: usize },
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audio { len, count } => write!(f, "audio {len} {count}"),
            Self::Texts { count, batch } => write!(f, "texts {count} {batch}"),
            Self::Get { stored, count } => write!(f, "get {stored} {count}"),
        }
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|w| w.parse().ok()).ok_or(format!("not a workload: {line}"));
        match words.first() {
            Some(&"audio") => Ok(Self::Audio { len: number(1)?, count: number(2)? }),
            Some(&"texts") => Ok(Self::Texts { count: number(1)?, batch: number(2)? }),
            Some(&"get") => Ok(Self::Get { stored: number(1)?, count: number(2)? }),
            _ => Err(format!("not a workload: {line}")),
        }
    }
}

/// Bytes of a transcript.
pub const TEXT: usize = 4096;

/// Numbers that do not repeat, the same in every run.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for word in bytes.chunks_mut(8) {
            word.copy_from_slice(&self.next().to_le_bytes()[..word.len()]);
        }
    }
}

/// Bytes like those of compressed audio.
pub fn audio(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Numbers::new(1).fill(&mut bytes);
    bytes
}

/// Transcripts of turns and words, no two alike.
pub fn texts(count: usize) -> Vec<Vec<u8>> {
    const WORDS: [&str; 32] = [
        "thank", "you", "for", "calling", "my", "account", "number", "is", "the", "invoice", "from", "last", "month",
        "was", "wrong", "could", "please", "check", "that", "one", "moment", "I", "see", "it", "here", "we", "will",
        "refund", "by", "Friday", "anything", "else",
    ];
    let mut numbers = Numbers::new(2);
    let mut text = || {
        let mut text = format!("call {:016x}\n", numbers.next());
        for turn in 0.. {
            text += ["Agent:", "Customer:"][turn % 2];
            for _ in 0..8 + numbers.below(16) {
                text.push(' ');
                text += WORDS[numbers.below(32) as usize];
            }
            text.push('\n');
            if text.len() >= TEXT {
                break;
            }
        }
        text.truncate(TEXT);
        text.into_bytes()
    };
    (0..count).map(|_| text()).collect()
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * at).round() as usize]
}
