//! Signed checkpoints of the audit trail.

use domain::Timestamp;
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO audit_checkpoints (size, at, head_hash, public_key, signature) VALUES ($1,
        $2, $3, $4, $5)
        ON CONFLICT (size) DO NOTHING";
    COSIGNED = "INSERT INTO cosignatures (witness, size, at, note) VALUES ($1, $2, $3, $4)
        ON CONFLICT (witness) DO UPDATE SET size = excluded.size, at = excluded.at,
        note = excluded.note WHERE excluded.size >= cosignatures.size";
    COSIGNATURES = "SELECT witness, size, at, note FROM cosignatures ORDER BY witness";
    ALL = "SELECT size, at, head_hash, public_key, signature FROM audit_checkpoints ORDER BY size";
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CheckpointRow {
    /// How many entries it covers.
    pub size: i64,
    /// When it was signed.
    pub at: Timestamp,
    /// Hash of the last entry it covers.
    pub head_hash: Vec<u8>,
    /// Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// Ed25519 signature, 64 bytes.
    pub signature: Vec<u8>,
}

impl From<&audit::Checkpoint> for CheckpointRow {
    fn from(signed: &audit::Checkpoint) -> Self {
        // What was just signed is hexadecimal; anything else would not verify.
        let bytes = |text: &str| hex::decode(text).unwrap_or_default();
        Self {
            size: signed.size,
            at: Timestamp(signed.at),
            head_hash: bytes(&signed.head),
            public_key: bytes(&signed.public_key),
            signature: bytes(&signed.signature),
        }
    }
}

/// A tree head that a witness cosigned.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Cosignature {
    pub witness: String,
    /// How many entries the head covers.
    pub size: i64,
    pub at: Timestamp,
    /// The signed head, with the witness's line.
    pub note: String,
}

/// Keeps the newest head that a witness cosigned.
pub async fn cosigned(tx: &mut Tx, one: &Cosignature) -> Result<()> {
    execute!(
        tx,
        COSIGNED,
        one.witness.as_str(),
        one.size,
        one.at,
        one.note.as_str()
    )?;
    Ok(())
}

/// The newest head that each witness cosigned, by its name.
pub async fn cosignatures(tx: &mut Tx) -> Result<Vec<Cosignature>> {
    fetch_all!(tx, Cosignature, COSIGNATURES)
}

/// Stores a checkpoint; one of the same size stays as it is.
pub async fn insert(tx: &mut Tx, row: &CheckpointRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.size,
        row.at,
        row.head_hash.as_slice(),
        row.public_key.as_slice(),
        row.signature.as_slice()
    )?;
    Ok(())
}

/// Every checkpoint, smallest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<CheckpointRow>> {
    fetch_all!(tx, CheckpointRow, ALL)
}
