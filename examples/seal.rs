//! Seals standard input to an age file or opens one, so that other programs' files and ours can be compared.
//!
//! `seal to RECIPIENT… | seal pass | open IDENTITY-FILE | open pass`, the passphrase in `SEAL_PASSPHRASE`, `armor` in
//! front of `to` or `pass` for armored output.

mod told;

use std::io::{self, Read, Write, stdin, stdout};
use std::process::ExitCode;

use strongroom::age::{ArmorWriter, Passphrase, Reader, Writer};
use strongroom::{Identity, Recipient};
use told::{Done, end};

fn main() -> ExitCode {
    end(run().map(|()| true))
}

fn run() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let passphrase = || std::env::var("SEAL_PASSPHRASE").map(Passphrase::new);
    match args[..] {
        ["open", "pass"] => copy(Reader::new(stdin(), &passphrase()?)?),
        ["open", file] => copy(Reader::new(stdin(), &Identity::read_file(file)?)?),
        ["armor", ref rest @ ..] => {
            let mut armored = ArmorWriter::new(stdout().lock())?;
            seal(&mut armored, rest, passphrase)?;
            let _ = armored.finish()?;
            Ok(())
        }
        ref rest => seal(stdout().lock(), rest, passphrase),
    }
}

fn seal(output: impl Write, how: &[&str], passphrase: impl Fn() -> Result<Passphrase, std::env::VarError>) -> Done<()> {
    let mut writer = match how {
        ["pass"] => Writer::with_passphrase(output, &passphrase()?)?,
        ["to", recipients @ ..] => {
            let recipients = recipients.iter().map(|r| r.parse()).collect::<Result<Vec<Recipient>, _>>()?;
            Writer::new(output, &recipients)?
        }
        _ => return Err("usage: seal [armor] to RECIPIENT… | [armor] pass | open IDENTITY-FILE | open pass".into()),
    };
    io::copy(&mut stdin(), &mut writer)?;
    writer.finish()?;
    Ok(())
}

fn copy(mut reader: impl Read) -> Done<()> {
    io::copy(&mut reader, &mut stdout().lock())?;
    Ok(())
}
