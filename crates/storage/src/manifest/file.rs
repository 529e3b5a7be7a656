//! The bytes of manifest files: one line of JSON, one line with its CRC-32C. Readable with any editor, checked whole.
//!
//! An edit file also repeats the edit before it, so that no single damaged file loses anything.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::state::{Edit, State};
use crate::ids::Version;

/// Version of the JSON below.
const FORMAT: u32 = 1;

/// An edit and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VersionedEdit {
    /// What it makes.
    pub(super) version: Version,
    /// What it was made from.
    pub(super) base: Version,
    pub(super) edit: Edit,
}

/// Contents of an edit file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EditFile {
    format: u32,
    /// Random per process: makes equal edits of two writers differ.
    writer: String,
    pub(super) this: VersionedEdit,
    pub(super) previous: Option<VersionedEdit>,
}

/// Contents of a checkpoint: the state as one edit to nothing.
#[derive(Debug, Serialize, Deserialize)]
struct CheckpointFile {
    format: u32,
    version: Version,
    state: Edit,
}

impl EditFile {
    pub(super) fn new(writer: &str, this: VersionedEdit, previous: Option<VersionedEdit>) -> Self {
        Self {
            format: FORMAT,
            writer: writer.to_owned(),
            this,
            previous,
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        seal(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let file: Self = unseal(bytes)?;
        known_format(file.format)?;
        Ok(file)
    }
}

/// The bytes of a checkpoint.
pub(crate) fn encode_checkpoint(state: &State) -> Result<Vec<u8>, String> {
    seal(&CheckpointFile {
        format: FORMAT,
        version: state.version,
        state: Edit {
            adds: state.segments.values().cloned().collect(),
            removes: Vec::new(),
            watermarks: state.watermarks.iter().map(|(t, w)| (*t, *w)).collect(),
            quarantined: state.quarantined.clone(),
        },
    })
}

pub(super) fn decode_checkpoint(bytes: &[u8]) -> Result<State, String> {
    let file: CheckpointFile = unseal(bytes)?;
    known_format(file.format)?;
    let mut state = State::default();
    state.apply(file.version, &file.state);
    Ok(state)
}

fn known_format(format: u32) -> Result<(), String> {
    if format == FORMAT {
        Ok(())
    } else {
        Err(format!("format {format} belongs to a newer release"))
    }
}

fn seal<T: Serialize>(contents: &T) -> Result<Vec<u8>, String> {
    let mut bytes = serde_json::to_vec(contents).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(format!("crc32c {crc:08x}\n").as_bytes());
    Ok(bytes)
}

fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    const TRAILER_BYTES: usize = "crc32c 00000000\n".len();
    let split = bytes.len().checked_sub(TRAILER_BYTES);
    let (body, trailer) = split
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or_else(|| format!("{} bytes are too few", bytes.len()))?;
    let crc = crc32c::crc32c(body);
    if trailer != format!("crc32c {crc:08x}\n").as_bytes() {
        return Err("the checksum does not fit".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
