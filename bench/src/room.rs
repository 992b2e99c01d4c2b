//! strongroom's side of every workload.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use strongroom::{
    Access, Channel, CustodianKey, DisclosurePolicy, Draft, Identity, Ingestor, OperatorKey, PartKind, Record,
    RecordId, TenantCard, TenantId, TenantSession, Vault, WriterKey,
};

use crate::work::{Numbers, TEXT, Work, audio, median, quantile, texts};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The operator of every vault here.
pub fn operator() -> OperatorKey {
    "STRONGROOM-OPERATOR-KEY-129G4Z52329G4Z52329G4Z52329G4Z52329G4Z52329G4Z52329GSFS629Z"
        .parse()
        .expect("a constant key")
}

/// A vault with one tenant.
pub struct Room {
    pub vault: Vault,
    pub ingestor: Ingestor,
    pub session: TenantSession,
    pub identity: Arc<Identity>,
}

impl Room {
    /// Makes the vault in `dir`, with so many custodians of whom three are a quorum.
    pub fn new(dir: &Path, custodians: usize) -> Result<Self> {
        let _ = fs::remove_dir_all(dir);
        let vault = Vault::create(dir, operator())?;
        let writer = WriterKey::generate()?;
        vault.enrol_writer(writer.public_key())?;
        let tenant = Arc::new(Identity::generate()?);
        let card = TenantCard::new(vault.id(), TenantId::generate()?, &tenant);
        let policy = if custodians == 0 {
            DisclosurePolicy::none(&card, &tenant)?
        } else {
            let keys =
                (0..custodians).map(|_| Ok(CustodianKey::from(&Identity::generate()?))).collect::<Result<_>>()?;
            DisclosurePolicy::quorum(&card, 3, keys, &tenant)?
        };
        let pin = vault.enrol("bench", &card, &policy)?;
        let ingestor = vault.ingestor(&pin, writer)?;
        let session = vault.session(pin.tenant, Arc::clone(&tenant), Access::new("bench", "measuring"))?;
        Ok(Self { vault, ingestor, session, identity: tenant })
    }

    pub fn add_audio(&self, source: impl Read + Send) -> Result<RecordId> {
        Ok(self.ingestor.ingest(Draft::new(Channel::Voice).part(PartKind::Audio, "audio/wav", source))?.record)
    }

    pub fn add_texts(&self, bodies: &[Vec<u8>]) -> Result<Vec<RecordId>> {
        let draft = |body| Draft::new(Channel::Voice).part(PartKind::Transcript, "text/plain", body);
        let drafts = bodies.iter().map(|body| draft(body.as_slice())).collect();
        Ok(self.ingestor.ingest_batch(drafts)?.iter().map(|i| i.record).collect())
    }

    pub fn record(&self, id: RecordId) -> Result<Record> {
        Ok(self.session.read(id)?)
    }
}

/// Makes a vault in `dir`, does the work on as many threads as there are callers, and gives its seconds.
pub fn run(work: Work, custodians: usize, callers: usize, dir: &Path) -> Result<f64> {
    let room = Room::new(dir, custodians)?;
    let seconds = match work {
        Work::Audio { len, count } => {
            let body = audio(len);
            // The first record of a process opens its epoch, as the peers' first row makes their files.
            room.add_audio(&body[..])?;
            let start = Instant::now();
            for _ in 0..count {
                room.add_audio(&body[..])?;
            }
            start.elapsed().as_secs_f64()
        }
        Work::Texts { count, batch } => {
            let bodies = texts(count);
            room.add_texts(&bodies[..1])?;
            let start = Instant::now();
            std::thread::scope(|scope| {
                let share = bodies.chunks(bodies.len().div_ceil(callers));
                let add = |bodies: &[Vec<u8>]| {
                    bodies.chunks(batch).try_for_each(|b| room.add_texts(b).map(drop)).map_err(|e| e.to_string())
                };
                let callers: Vec<_> = share.map(|bodies| scope.spawn(move || add(bodies))).collect();
                callers.into_iter().try_for_each(|c| c.join().map_err(|_| "a caller panicked".to_string())?)
            })?;
            start.elapsed().as_secs_f64()
        }
        Work::Get { .. } => return Err("reads are measured on a vault that is kept".into()),
    };
    drop(room);
    fs::remove_dir_all(dir)?;
    Ok(seconds)
}

/// Reads `count` random transcripts: the median and the 99th percentile of one, in seconds.
pub fn get(room: &Room, ids: &[RecordId], count: usize) -> Result<(f64, f64)> {
    let (mut numbers, mut times) = (Numbers::new(3), Vec::with_capacity(count));
    for _ in 0..count {
        let id = ids[numbers.below(ids.len() as u64) as usize];
        let start = Instant::now();
        let body = room.session.read(id)?.read_part(1)?;
        times.push(start.elapsed().as_secs_f64());
        assert_eq!(body.len(), TEXT);
    }
    Ok((median(&times), quantile(&times, 0.99)))
}
