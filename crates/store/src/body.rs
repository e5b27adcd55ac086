//! Nouns as bytes: JSON, compressed, with a digest that says whether two are the same.

use entente_model::SourceId;
use ring::digest;

use crate::error::StoreError;
use crate::nouns::{Noun, put_samples, take_samples};
use crate::tables::{TableRow, Token};

/// Bytes of a digest that are kept: two bodies that differ share them once in 2^64 stores.
const HASH_BYTES: usize = 16;

/// Largest body, in bytes, when it is JSON again.
const BODY_BYTES_MAX: usize = 256 << 20;

/// Says whether two bodies are the same.
pub(crate) type Hash = [u8; HASH_BYTES];

/// A noun ready to be kept.
pub(crate) struct Packed {
    pub name: String,
    pub hash: Hash,
    /// Samples, if it has any, as JSON.
    pub samples: Option<Vec<u8>>,
    /// Its samples as rows of the tables of what is so now.
    pub sample_rows: Vec<TableRow>,
    /// Everything else; nothing where this state is known already, as most are.
    pub state: Option<State>,
}

/// What is kept of a state that is new.
pub(crate) struct State {
    pub identity: Vec<(&'static str, String)>,
    /// JSON, compressed.
    pub body: Vec<u8>,
    /// Its rows in the tables of what is so now.
    pub rows: Vec<TableRow>,
    /// By which words it is found.
    pub tokens: Vec<Token>,
}

/// Makes one ready, under this name; of a state that is known, no more than that is needed.
pub(crate) fn pack<N: Noun>(
    noun: &mut N,
    name: String,
    is_known: impl FnOnce(&str, &Hash) -> bool,
) -> Result<Packed, StoreError> {
    noun.set_source(None);
    let mut sample_rows = Vec::new();
    for table in N::tables() {
        table.fill_samples(noun, &mut sample_rows);
    }
    let samples = take_samples(noun).map_err(unwritable)?;
    let json = serde_json::to_vec(noun).map_err(unwritable)?;
    let hash = hash(&json);
    let state = (!is_known(&name, &hash)).then(|| {
        let mut rows = Vec::new();
        for table in N::tables() {
            table.fill(noun, &mut rows);
        }
        State { identity: noun.identity(), body: compress(&json), rows, tokens: noun.tokens() }
    });
    Ok(Packed { name, hash, samples, sample_rows, state })
}

/// Reads one back.
pub(crate) fn unpack<N: Noun>(
    body: &[u8],
    samples: Option<&[u8]>,
    source: &SourceId,
) -> Result<N, StoreError> {
    let mut noun: N = serde_json::from_slice(&decompress(body)?).map_err(unreadable)?;
    noun.set_source(Some(source));
    if let Some(samples) = samples {
        put_samples(&mut noun, samples).map_err(unreadable)?;
    }
    Ok(noun)
}

pub(crate) fn hash(json: &[u8]) -> Hash {
    let mut hash = Hash::default();
    let digest = digest::digest(&digest::SHA256, json);
    for (kept, byte) in hash.iter_mut().zip(digest.as_ref()) {
        *kept = *byte;
    }
    hash
}

pub(crate) fn compress(json: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(json)
}

pub(crate) fn decompress(body: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = body.first_chunk::<4>().map_or(0, |it| u32::from_le_bytes(*it) as usize);
    if size > BODY_BYTES_MAX {
        return Err(StoreError::Damaged(format!("a body claims {size} bytes")));
    }
    lz4_flex::decompress_size_prepended(body)
        .map_err(|error| StoreError::Damaged(format!("a body cannot be unpacked: {error}")))
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("an object cannot be written: {error}"))
}

pub(crate) fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("an object cannot be read: {error}"))
}
