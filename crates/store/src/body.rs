//! Nouns as bytes: JSON, compressed, with a digest that says whether two are the same.

use entente_model::SourceId;
use ring::digest;
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::nouns::{Noun, put_samples, take_samples};
use crate::tables::{TableRow, Token};

/// Bytes of a digest that are kept: two bodies that differ share them once in 2^64 stores.
const HASH_BYTES: usize = 16;

/// Largest body, in bytes, when it is JSON again.
const BODY_BYTES_MAX: usize = 256 << 20;

/// A noun ready to be kept.
pub(crate) struct Packed {
    pub name: String,
    pub identity: Vec<(&'static str, String)>,
    pub hash: Vec<u8>,
    /// JSON, not compressed yet: most bodies are known already and never written.
    pub json: Vec<u8>,
    /// Samples, if it has any.
    pub samples: Option<Vec<u8>>,
    /// Its rows in the tables of what is so now.
    pub rows: Vec<TableRow>,
    /// By which words it is found.
    pub tokens: Vec<Token>,
}

/// Makes one ready.
pub(crate) fn pack<N: Noun>(noun: &mut N) -> Result<Packed, StoreError> {
    noun.set_source(None);
    let (mut rows, tokens) = (Vec::new(), noun.tokens());
    for table in N::tables() {
        table.fill(noun, &mut rows);
    }
    let samples = take_samples(noun);
    let json = serde_json::to_vec(noun).map_err(unwritable)?;
    let samples = match samples.is_empty() {
        true => None,
        false => Some(serde_json::to_vec(&samples).map_err(unwritable)?),
    };
    let (name, identity, hash) = (noun.name(), noun.identity(), hash(&json));
    Ok(Packed { name, identity, hash, json, samples, rows, tokens })
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
        let samples: Map<String, Value> = serde_json::from_slice(samples).map_err(unreadable)?;
        put_samples(&mut noun, samples);
    }
    Ok(noun)
}

pub(crate) fn hash(json: &[u8]) -> Vec<u8> {
    let digest = digest::digest(&digest::SHA256, json);
    digest.as_ref().iter().take(HASH_BYTES).copied().collect()
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
