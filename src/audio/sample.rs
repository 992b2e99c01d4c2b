//! Single samples of WAV files, of every linear form and of G.711 (ITU-T G.711).

use super::Codec;
use super::wav::Wav;

/// How one sample of one channel is written. Little-endian, in whole bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// One byte, 128 being silence.
    Unsigned,
    /// So many bytes, 2 to 4, in two's complement.
    Signed(usize),
    Float32,
    Float64,
    MuLaw,
    ALaw,
}

impl Sample {
    /// Nothing if frames are not made of samples that are known here.
    pub(super) fn of(wav: &Wav) -> Option<Self> {
        if !wav.is_linear() {
            return None;
        }
        match (wav.codec(), wav.frame / wav.channels) {
            (Codec::Pcm, 1) => Some(Self::Unsigned),
            (Codec::Pcm, bytes @ 2..=4) => Some(Self::Signed(bytes.into())),
            (Codec::Float, 4) => Some(Self::Float32),
            (Codec::Float, 8) => Some(Self::Float64),
            (Codec::MuLaw, 1) => Some(Self::MuLaw),
            (Codec::ALaw, 1) => Some(Self::ALaw),
            _ => None,
        }
    }

    /// Bytes of a sample.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Unsigned | Self::MuLaw | Self::ALaw => 1,
            Self::Signed(bytes) => bytes,
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// Writes a value of -1 to 1. Nought becomes what the form has for silence. Expects [`len`](Self::len) bytes.
    pub(super) fn write(self, value: f64, bytes: &mut [u8]) {
        let linear = |bits: usize| (value * ((1i64 << (bits - 1)) - 1) as f64).round() as i32;
        match self {
            Self::Unsigned => bytes.fill((128 + linear(8)) as u8),
            Self::Signed(len) => bytes.copy_from_slice(&linear(len * 8).to_le_bytes()[..len]),
            Self::Float32 => bytes.copy_from_slice(&(value as f32).to_le_bytes()),
            Self::Float64 => bytes.copy_from_slice(&value.to_le_bytes()),
            Self::MuLaw => bytes.fill(mu_law(linear(16))),
            Self::ALaw => bytes.fill(a_law(linear(16))),
        }
    }

    /// The [levels](Self::level) of all samples of one byte, in parts of 255; nothing for longer ones.
    pub(super) fn levels(self) -> Option<[u8; 256]> {
        (self.len() == 1).then(|| std::array::from_fn(|byte| part(self.level(&[byte as u8]))))
    }

    /// How far a sample is from silence: 0 to 1, and above in floating point. What is no number is silence.
    pub(super) fn level(self, bytes: &[u8]) -> f32 {
        let linear = |value: i32, bits: u32| value.unsigned_abs() as f32 / (1u32 << (bits - 1)) as f32;
        let level = match (self, bytes) {
            (Self::Unsigned, [byte]) => linear(i32::from(*byte) - 128, 8),
            (Self::Signed(2), &[a, b]) => linear(i16::from_le_bytes([a, b]).into(), 16),
            (Self::Signed(3), &[a, b, c]) => linear(i32::from_le_bytes([0, a, b, c]), 32),
            (Self::Signed(4), &[a, b, c, d]) => linear(i32::from_le_bytes([a, b, c, d]), 32),
            (Self::Float32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]).abs(),
            (Self::Float64, bytes) => bytes.try_into().map_or(0.0, |bytes| f64::from_le_bytes(bytes).abs() as f32),
            (Self::MuLaw, [byte]) => linear(of_mu_law(*byte), 16),
            (Self::ALaw, [byte]) => linear(of_a_law(*byte), 16),
            _ => 0.0,
        };
        if level.is_finite() { level } else { 0.0 }
    }
}

/// A level in parts of 255, which is full scale.
pub(super) fn part(level: f32) -> u8 {
    (level * 255.0).round().min(255.0) as u8
}

/// Of 16 bits.
fn mu_law(sample: i32) -> u8 {
    const BIAS: i32 = 132;
    let biased = sample.abs().min(32_635) + BIAS;
    let exponent = biased.ilog2() - 7;
    let mantissa = (biased >> (exponent + 3)) & 15;
    !(if sample < 0 { 0x80 } else { 0 } | (exponent as u8) << 4 | mantissa as u8)
}

fn of_mu_law(byte: u8) -> i32 {
    let byte = !byte;
    let biased = (((i32::from(byte) & 15) << 3) + 132) << (byte >> 4 & 7);
    if byte & 0x80 == 0 { biased - 132 } else { 132 - biased }
}

/// Of 16 bits, of which the lowest four are dropped.
fn a_law(sample: i32) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0, -sample - 1) } else { (0x80, sample) };
    let magnitude = magnitude.min(32_767) >> 4;
    let byte = match magnitude {
        0..32 => magnitude,
        _ => {
            let exponent = magnitude.ilog2() as i32 - 3;
            exponent << 4 | (magnitude >> (exponent - 1) & 15)
        }
    };
    (sign | byte as u8) ^ 0x55
}

fn of_a_law(byte: u8) -> i32 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (byte >> 4 & 7, i32::from(byte & 15));
    let magnitude = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 264) << (exponent - 1) };
    if byte & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_g711_survives_decoding_and_encoding() {
        for byte in 0..=u8::MAX {
            // Of the two zeros of µ-law one is enough.
            if byte != 0x7F {
                assert_eq!(mu_law(of_mu_law(byte)), byte);
            }
            assert_eq!(a_law(of_a_law(byte)), byte);
        }
        // ITU-T G.711, tables 1a and 2a: the ends of the scale, and silence.
        assert_eq!([0xFF, 0x80, 0x00].map(of_mu_law), [0, 32_124, -32_124]);
        assert_eq!([0xD5, 0xAA, 0x2A].map(of_a_law), [8, 32_256, -32_256]);
        assert_eq!((mu_law(0), a_law(0)), (0xFF, 0xD5));
    }

    #[test]
    fn what_is_written_has_the_level_that_was_asked_for() {
        let forms = [Sample::Unsigned, Sample::Float32, Sample::Float64, Sample::MuLaw, Sample::ALaw];
        for form in forms.into_iter().chain([2, 3, 4].map(Sample::Signed)) {
            for (value, off) in [(0.0, 3e-4), (0.1, 4e-3), (-0.1, 4e-3), (1.0, 0.02), (-1.0, 0.02)] {
                let mut bytes = vec![0; form.len()];
                form.write(value, &mut bytes);
                assert!((f64::from(form.level(&bytes)) - value.abs()).abs() <= off, "{form:?} {value}");
            }
        }
        assert_eq!(Sample::Float32.level(&f32::NAN.to_le_bytes()), 0.0);
        assert_eq!(Sample::Float32.level(&f32::NEG_INFINITY.to_le_bytes()), 0.0);
    }
}
