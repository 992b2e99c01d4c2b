use super::leftovers;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Marks, erase_again, refuse_lags};
use crate::vault::Vault;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Sealed parts, finished or not, that no record names.
    pub objects: u64,
    /// Slots that no record names.
    pub slots: u64,
    /// Marks of epochs whose writer is gone.
    pub epochs: u64,
    /// Records that were erased again, because an old copy of the shred file was put back.
    pub erased: u64,
}

impl Vault {
    /// Removes what a crash left, and erases again what was erased and came back with an old copy of the shred file. Touches nothing that a record names and nothing of an epoch that is still open, so
    /// it may run while others ingest. Killed half way, it has removed less.
    ///
    /// # Errors
    /// [`Damaged`](ErrorKind::Damaged) if the database is not whole, [`Tampered`](ErrorKind::Tampered) if a record's
    /// header cannot be right, [`RolledBack`](ErrorKind::RolledBack) if a ledger is behind its mark, so that what nobody
    /// names here may be named by a newer copy: nothing is removed while it is unknown what is named. Else as the file
    /// system.
    pub fn sweep(&self) -> Result<Swept> {
        let room = &*self.room;
        let complaints = room.store.integrity()?;
        if !complaints.is_empty() {
            // A row that is hidden by the damage still names what would be removed, and a backup brings it back.
            let doing = "sweeping a vault whose database is not whole";
            return Err(Error::new(ErrorKind::Damaged, doing).because(complaints.join("; ")));
        }
        refuse_lags(&Marks::read(room)?.lags(room)?, "sweeping a vault that was rolled back")?;
        if let Ok(ledger) = self.ledger() {
            match ledger.recover() {
                // What is removed here may make the room that is missing for it.
                Err(e) if e.kind() == ErrorKind::Full => {}
                recovered => recovered?,
            }
        }
        let erased = erase_again(room, true)?;
        let closed = leftovers::closed_epochs(room)?;
        let left = leftovers::find(room, &closed, &leftovers::named_slots(room)?)?;
        for object in &left.objects {
            room.objects.delete(*object)?;
        }
        for path in &left.unfinished {
            room.objects.delete_stray(path)?;
        }
        if !left.slots.is_empty() {
            room.slots.shred(&left.slots)?;
        }
        // Last: an epoch without a mark looks as if it had been closed in order.
        for epoch in &left.leases {
            room.leases.remove(*epoch)?;
        }
        let objects = (left.objects.len() + left.unfinished.len()) as u64;
        Ok(Swept { objects, slots: left.slots.len() as u64, epochs: left.leases.len() as u64, erased })
    }
}
