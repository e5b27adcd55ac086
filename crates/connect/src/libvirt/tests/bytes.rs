//! Whatever comes over the wire: an answer, or an error, never a panic, never memory that was only
//! promised.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};

use crate::libvirt::wire::failure::Remote;
use crate::libvirt::wire::message::{Kind, Message, REMOTE};
use crate::libvirt::wire::procedures::{self as ask, Procedure};
use crate::libvirt::wire::xdr::{Decoder, XdrError};
use crate::libvirt::wire::xml::Element;

fn decode<P: Procedure>(bytes: &[u8]) -> Result<P::Reply, XdrError> {
    P::decode(&mut Decoder::new(bytes))
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in vec(any::<u8>(), 0..400)) {
        // What is read does not matter here: that it is read to an end does.
        let _ = decode::<ask::AuthList>(&bytes);
        let _ = decode::<ask::SaslStart>(&bytes);
        let _ = decode::<ask::Node>(&bytes);
        let _ = decode::<ask::ListDomains>(&bytes);
        let _ = decode::<ask::DomainXml>(&bytes);
        let _ = decode::<ask::DiskSize>(&bytes);
        let _ = decode::<ask::GuestAddresses>(&bytes);
        let _ = decode::<ask::GuestFacts>(&bytes);
        let _ = decode::<ask::ListSnapshots>(&bytes);
        let _ = decode::<ask::ListVolumes>(&bytes);
        let _ = decode::<ask::ListBindings>(&bytes);
        let _ = decode::<ask::ListNodeDevices>(&bytes);
        let _ = Remote::decode(&bytes);
        let _ = ask::event_of(&bytes);
        let _ = Element::parse(&String::from_utf8_lossy(&bytes));
        let mut buffer = BytesMut::from(bytes.as_slice());
        while let Ok(Some(_)) = Message::take(&mut buffer, 1 << 20) {}
    }

    #[test]
    fn any_markup_is_a_tree_or_an_error(text in "[<>/a-c='\"&;#x0-9 !?\\[\\]-]{0,80}") {
        if let Ok(element) = Element::parse(&text) {
            prop_assert!(Element::parse(&element.write()).is_ok(), "{}", element.write());
        }
    }

    #[test]
    fn a_message_comes_whole_however_it_is_cut(body in vec(any::<u8>(), 0..200), cut in 0_usize..228) {
        let bytes = Message::encode(REMOTE, 14, Kind::Reply, 7, &body);
        let (first, second) = bytes.split_at(cut.min(bytes.len() - 1));
        let mut buffer = BytesMut::from(first);
        prop_assert!(Message::take(&mut buffer, 1 << 20).unwrap().is_none());
        buffer.extend_from_slice(second);
        let message = Message::take(&mut buffer, 1 << 20).unwrap().unwrap();
        prop_assert!(message.body == body && message.header.serial == 7 && buffer.is_empty());
    }
}

#[test]
fn lists_and_messages_beyond_the_protocols_limits_are_refused_before_they_come() {
    let list = decode::<ask::ListDomains>(&[0xff; 64]);
    assert!(matches!(list, Err(XdrError::TooLong { what: "domains", .. })));
    let mut buffer = BytesMut::from([0x7f, 0xff, 0xff, 0xff].as_slice());
    assert!(matches!(Message::take(&mut buffer, usize::MAX), Err(XdrError::TooLong { .. })));
    assert!(buffer.capacity() < 1 << 20);
}

#[test]
fn xml_keeps_text_attributes_and_entities() {
    let element =
        Element::parse("<?xml version='1.0'?><a x='1 &lt; 2'> t&amp;&#x41; <b/><![CDATA[<]]></a>")
            .unwrap();
    assert_eq!(element.attribute("x"), Some("1 < 2"));
    assert_eq!(element.text, "t&A <");
    assert!(element.has("b"));
    assert_eq!(Element::parse(&element.write()).unwrap(), element);
    for wrong in ["", "<a>", "<a></b>", "<!DOCTYPE a []><a/>", "<a>&unknown;</a>", "text"] {
        assert!(Element::parse(wrong).is_err(), "{wrong}");
    }
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    assert!(Element::parse(&deep).is_err());
}
