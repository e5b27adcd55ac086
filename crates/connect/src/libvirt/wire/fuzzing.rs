//! Decoders of what a libvirt host sends, for fuzz targets: they hand in bytes, and wait for what should
//! not happen.

use bytes::BytesMut;

use super::failure::Remote;
use super::message::Message;
use super::procedures::{self as ask, Procedure};
use super::scram::{LogIn, Mechanism};
use super::xdr::Decoder;
use super::xml::Element;

/// Longest message that is taken apart.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Bytes as a stream of messages; each message's body as what every procedure gives.
pub fn messages(bytes: &[u8]) {
    let mut stream = BytesMut::from(bytes);
    while let Ok(Some(message)) = Message::take(&mut stream, MESSAGE_BYTES_MAX) {
        body(&message.body);
    }
}

/// Bytes as the body of a message, of every kind.
pub fn body(bytes: &[u8]) {
    // What is read does not matter here: that it is read to an end does.
    fn decode<P: Procedure>(bytes: &[u8]) {
        let _ = P::decode(&mut Decoder::new(bytes));
    }
    decode::<ask::AuthList>(bytes);
    decode::<ask::SaslMechanisms>(bytes);
    decode::<ask::SaslStart>(bytes);
    decode::<ask::LibraryVersion>(bytes);
    decode::<ask::Node>(bytes);
    decode::<ask::ListDomains>(bytes);
    decode::<ask::DomainXml>(bytes);
    decode::<ask::DomainState>(bytes);
    decode::<ask::DiskSize>(bytes);
    decode::<ask::GuestAddresses>(bytes);
    decode::<ask::GuestFacts>(bytes);
    decode::<ask::ListSnapshots>(bytes);
    decode::<ask::ListNetworks>(bytes);
    decode::<ask::ListVolumes>(bytes);
    decode::<ask::ListBindings>(bytes);
    decode::<ask::ListNodeDevices>(bytes);
    let _ = Remote::decode(bytes).map(|it| it.kind());
    let _ = ask::event_of(bytes);
    let _ = LogIn::new(Mechanism::Sha256, "user", b"").prove(bytes, "");
}

/// A text as XML: one that can be read can be written, and read again.
pub fn document(text: &str) {
    if let Ok(element) = Element::parse(text) {
        assert!(Element::parse(&element.write()).is_ok(), "{}", element.write());
    }
}
