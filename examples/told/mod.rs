//! How an example ends: what went wrong is told with its reasons, and the exit code says whether all is well.

use std::error::Error;
use std::process::ExitCode;

pub type Done<T> = Result<T, Box<dyn Error>>;

pub fn end(done: Done<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its reasons in one line; the last of ours without one says of which kind it is.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    match (error.source(), error.downcast_ref::<strongroom::Error>()) {
        (Some(reason), _) => format!("{error}: {}", chain(reason)),
        (None, Some(ours)) => format!("{error}: {:?}", ours.kind()),
        (None, None) => error.to_string(),
    }
}
