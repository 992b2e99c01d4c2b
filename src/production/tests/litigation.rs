use std::io::Cursor;

use super::world::*;
use crate::record::{Channel, Direction, Draft, Identifier, PartKind, Role, Subject};

const VOLUME: &str = "data/ABC_VOL001";

#[test]
fn a_volume_has_natives_texts_and_families_under_numbers_that_follow_each_other() {
    let world = World::new();
    let ids = [world.ingest(call("+15722568385", 20)), world.ingest(letter("My card"))];
    let prepared = world.prepare(&wanted(&ids), litigation(), 41).unwrap();
    assert_eq!((prepared.bates_numbers(), prepared.counts().documents), (4, 4));
    let bates = prepared.counts().bates.clone().unwrap();
    assert_eq!((bates.first.as_str(), bates.last.as_str()), ("ABC0000041", "ABC0000044"));

    let produced = world.produce(&wanted(&ids), litigation());
    let lines = produced.load_file();
    let column = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("BEGBATES"), ["ABC0000001", "ABC0000002", "ABC0000003", "ABC0000004"]);
    assert_eq!(column("BEGATTACH"), ["ABC0000001", "ABC0000001", "ABC0000003", "ABC0000003"]);
    assert_eq!(column("ENDATTACH"), ["ABC0000002", "ABC0000002", "ABC0000004", "ABC0000004"]);
    assert_eq!(column("DOCTYPE"), ["audio", "transcript", "e-mail", "attachment"]);
    assert_eq!(column("DATE"), ["11/14/2023", "11/14/2023", "", ""]);
    assert_eq!(column("TIME"), ["22:13:20", "22:13:20", "", ""]);
    assert_eq!(column("FROM"), ["", "", "Olivia <olivia@example.com>", ""]);
    assert_eq!(column("TO")[2], "Help <help@acme.example>; sales@acme.example");
    assert_eq!((column("SUBJECT")[2].as_str(), column("DATESENT")[2].as_str()), ("My card", "11/14/2023"));
    assert_eq!(column("FILENAME")[3], "card.pdf");
    assert_eq!(column("CUSTODIAN"), vec!["Acme, Inc."; 4]);
    assert_eq!(column("PARTIES")[0], "customer Olivia Þórsdóttir <tel:+15722568385>; agent Ben <tel:+18005550100>");
    for line in &lines {
        let native = produced.bytes(&format!("data/{}", line["NATIVELINK"].replace('\\', "/")));
        assert_eq!(line["SHA256"], crate::id::hex(crate::bagit::Sums::of(&native).sha256()));
        assert_eq!(line["FILESIZE"], native.len().to_string());
        let _ = produced.json(&format!("data/{}", line["VCONLINK"].replace('\\', "/")));
    }
    assert_eq!(lines[0]["NATIVELINK"], "ABC_VOL001\\NATIVES\\0001\\ABC0000001.wav");
    assert_eq!(column("TEXTLINK").iter().filter(|link| link.is_empty()).count(), 2);
    let text = produced.text(&format!("data/{}", lines[1]["TEXTLINK"].replace('\\', "/")));
    assert!(text.contains("My card is 4111111111111111."), "{text}");
    assert_eq!(produced.bytes(&format!("{VOLUME}/NATIVES/0001/ABC0000001.wav")), wav(20));
}

#[test]
fn recordings_are_listed_with_who_called_whom_where_that_is_known() {
    let world = World::new();
    let somebody = |direction: Option<Direction>| {
        let customer = Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("=Olivia");
        let agent = Subject::named(Role::Agent, "Ben");
        let draft = Draft::new(Channel::Voice).subject(customer).subject(agent);
        let draft = match direction {
            Some(direction) => draft.direction(direction),
            None => draft,
        };
        world.ingest(draft.part(PartKind::Audio, "audio/wav", Cursor::new(wav(1))))
    };
    let ids = [Some(Direction::Inbound), Some(Direction::Outbound), None].map(somebody);
    let produced = world.produce(&wanted(&ids), litigation());
    let lines = produced.sheet(&format!("{VOLUME}/DATA/audio.csv"));
    let columns = ["Caller Name", "Originating Number", "Called Party Name", "Terminating Number", "Filename"];
    let line = |at: usize| columns.map(|name: &str| lines[at][name].as_str());
    assert_eq!(line(0), ["'=Olivia", "+15722568385", "Ben", "", "ABC0000001.wav"]);
    assert_eq!(line(1), ["Ben", "", "'=Olivia", "+15722568385", "ABC0000002.wav"]);
    assert_eq!(line(2), ["", "", "", "", "ABC0000003.wav"]);
    assert_eq!(
        produced.text(&format!("{VOLUME}/DATA/audio.csv")).lines().next().unwrap(),
        "\u{FEFF}\"Caller Name\",\"Originating Number\",\"Called Party Name\",\"Terminating Number\",\"Date\",\"Time\",\"Filename\""
    );
}

#[test]
fn hostile_values_stay_where_they_belong() {
    let mut world = World::new();
    world.tenant_name = "=Acme\r\n\"Inc\"".into();
    let subject = Subject::named(Role::Customer, "þ\u{14}þ\r\n=cmd|'/c calc'!A0\u{0}\"");
    let draft = Draft::new(Channel::Other("+1-1".into()))
        .subject(subject)
        .agent("@SUM(A1)")
        .queue("-2+3")
        .tag("\u{14}")
        .part(PartKind::Chat, "text/plain", Cursor::new(b"hello".to_vec()));
    let id = world.ingest(draft);
    let produced = world.produce(&wanted(&[id]), litigation());
    let lines = produced.load_file();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["PARTIES"], "customer þ þ®=cmd|'/c calc'!A0 \"");
    assert_eq!((lines[0]["AGENT"].as_str(), lines[0]["QUEUE"].as_str()), ("@SUM(A1)", "-2+3"));
    assert_eq!(lines[0]["CUSTODIAN"], "=Acme®\"Inc\"");
    let production = produced.sheet(&format!("{VOLUME}/DATA/production.csv"));
    assert_eq!(production[0]["Custodian"], "'=Acme  \"Inc\"");
    assert!(produced.text("README.txt").contains("Records of:  =Acme  \"Inc\"\n"));
    let custody = produced.sheet(&format!("{VOLUME}/DATA/custody.csv"));
    assert_eq!((custody.len(), custody[0]["Evidence ID"].as_str()), (2, "ABC0000001"));
    assert!(
        custody[1]["Why"].contains("24-CV-1") && custody[1]["What changed"].starts_with("nothing: copied to the byte")
    );
}

#[test]
fn folders_hold_two_thousand_files_at_the_most_and_numbers_go_on() {
    let world = World::new();
    let mut draft = Draft::new(Channel::Chat);
    for n in 0..201 {
        draft = draft.part(PartKind::Attachment, "text/plain", Cursor::new(format!("{n}").into_bytes()));
    }
    let mut ids = vec![world.ingest(draft)];
    for _ in 0..9 {
        let mut draft = Draft::new(Channel::Chat);
        for n in 0..201 {
            draft = draft.part(PartKind::Attachment, "text/plain", Cursor::new(format!("{n}").into_bytes()));
        }
        ids.push(world.ingest(draft));
    }
    let produced = world.produce(&wanted(&ids), litigation());
    let files = produced.files();
    for what in ["NATIVES", "TEXT"] {
        let within =
            |folder: &str| files.iter().filter(|file| file.starts_with(&format!("{VOLUME}/{what}/{folder}/"))).count();
        assert_eq!((within("0001"), within("0002")), (2000, 10));
    }
    assert!(files.contains(&format!("{VOLUME}/NATIVES/0002/ABC0002001.txt")));
    let lines = produced.load_file();
    assert_eq!((lines[2009]["BEGBATES"].as_str(), lines[2009]["BEGATTACH"].as_str()), ("ABC0002010", "ABC0001810"));
    assert!(produced.text(&format!("{VOLUME}/DATA/certification.txt")).contains("ABC0000001 to ABC0002010 (2010)"));
    assert!(produced.text("README.txt").contains("numbered ABC0000001 to ABC0002010"));
}
