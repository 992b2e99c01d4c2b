//! Judges vCons with the crate `rvoip-vcon`: gives its complaints, and fails if there are any.

use rvoip_vcon::Vcon;

fn main() {
    let (mut judged, mut bad) = (0, 0);
    for path in std::env::args().skip(1) {
        let document = std::fs::read(&path).expect("a file");
        let verdict = serde_json::from_slice::<Vcon>(&document)
            .map_err(|e| e.to_string())
            .and_then(|vcon| vcon.validate_with_supported_extensions(["CC"]).map_err(|e| e.to_string()));
        if let Err(complaint) = verdict {
            println!("{path}: {complaint}");
            bad += 1;
        }
        judged += 1;
    }
    println!("rvoip-vcon: {} of {judged} vCons are good", judged - bad);
    std::process::exit(i32::from(bad > 0));
}
