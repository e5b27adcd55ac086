//! Feeds bytes to the decoders of what a libvirt host sends. The first byte of an input says what the rest
//! is:
//!
//! | first byte | the rest is |
//! |---|---|
//! | `X` | a document of XML |
//! | `B` | the body of a message, as the answer to every procedure |
//! | other | a stream of messages, with that byte |

#![no_main]

use entente_connect::libvirt_fuzzing::{body, document, messages};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match input.split_first() {
        Some((b'X', text)) => document(&String::from_utf8_lossy(text)),
        Some((b'B', rest)) => body(rest),
        _ => messages(input),
    }
});
