//! Who may do what is a type: what nobody may do does not compile, and its twin, which differs in that alone, does.

use std::fs;
use std::path::Path;

#[test]
fn what_a_capability_does_not_allow_does_not_compile_and_its_twin_does() {
    let folder = Path::new("tests/capabilities");
    let cases = trybuild::TestCases::new();
    let mut pairs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = file.strip_suffix("_fails.rs") {
            cases.compile_fail(folder.join(&file));
            cases.pass(folder.join(format!("{name}.rs")));
            pairs += 1;
        }
    }
    assert_eq!(pairs, 11);
}
