//! Has a witness sign the head of a tenant's ledger: `witness VAULT TENANT URL VKEY`, where URL is the witness's submission
//! prefix (`http://host:port/path`) and VKEY the verifier key of his cosignatures. The operator's key is looked for in
//! VAULT.keys, as the other examples leave it.
//!
//! The crate speaks the protocol and no HTTP. Here it is spoken over a bare socket; give a program of yours a client that
//! knows TLS.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use strongroom::*;

type Done<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// For each step of an exchange.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [vault, tenant, url, vkey] = &args[..] else {
        eprintln!("usage: witness VAULT TENANT URL VKEY");
        return ExitCode::from(2);
    };
    match run(vault, tenant, url, vkey) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}{}", error.source().map_or(String::new(), |why| format!(": {why}")));
            if let Some(kind) = error.downcast_ref::<strongroom::Error>().map(strongroom::Error::kind) {
                eprintln!("kind: {kind:?}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(vault: &str, tenant: &str, url: &str, vkey: &str) -> Done<()> {
    let operator = OperatorKey::read_file(Path::new(vault).with_added_extension("keys").join("operator.key"))?;
    let vault = Vault::open(vault, operator)?;
    let url = url.to_owned();
    let mut witness = Witness::new(vkey.parse()?, move |path, body| {
        let (status, answer) = post(&format!("{url}{path}"), body)?;
        println!("POST {path}, {}: {status}, {} bytes", body.lines().next().unwrap_or_default(), answer.len());
        Ok((status, answer))
    })?;
    let head = vault.witness(vault.tenant_named(tenant)?.id, &mut witness)?;
    println!("The witness {} has signed {} entries.", witness.key().name(), head.checkpoint().size);
    Ok(())
}

/// One request, one answer, and no more of it than a witness may send.
fn post(url: &str, body: &str) -> Done<(u16, Vec<u8>)> {
    let rest = url.strip_prefix("http://").ok_or("the URL does not begin with http://")?;
    let (host, path) = rest.split_once('/').ok_or("the URL has no path")?;
    let address = host.to_socket_addrs()?.next().ok_or("the host has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = Vec::new();
    stream.take(Witness::MAX_ANSWER as u64 + 16 * 1024).read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").ok_or("the answer is not HTTP")?;
    let status = std::str::from_utf8(&answer[..end])?.split(' ').nth(1).and_then(|s| s.parse().ok());
    Ok((status.ok_or("the answer has no status")?, answer.split_off(end + 4)))
}
