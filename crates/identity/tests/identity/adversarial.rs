//! Hard estates, each in a few lines: copies that must not be merged, moves that must be found.

use entente_identity::{
    BUCKET_SIGHTINGS_MAX, COMPONENT_SIGHTINGS_MAX, ConflictKind, EvidenceKind, LimitKind, Side,
    Strength, correlate,
};
use entente_model::{Observed, Text};

use crate::told::{World, check, day, mac, sighting, told, uuid};

#[test]
fn two_sources_of_one_platform_agree_by_id_or_by_instance_uuid() {
    check(
        "a vc1/rvtools 1..1 id=vm-1 name=old-name
         b vc1/vsphere 0..  id=vm-1 name=new-name",
        "a=b",
    );
    check(
        "a vc1/rvtools 1..1 instance=1
         b vc1/vsphere 0..  instance=1 id=vm-1",
        "a=b",
    );
    // A vCenter built anew gives old ids to other machines.
    check(
        "a vc1/rvtools 1..1 id=vm-1 instance=1
         b vc1/vsphere 5..  id=vm-1 instance=2",
        "",
    );
    // Ids of one platform say nothing on another.
    check(
        "a vc1/vsphere 0.. id=vm-1
         b vc2/vsphere 0.. id=vm-1",
        "",
    );
}

#[test]
fn exports_without_instance_uuids_lean_on_what_is_left() {
    check(
        "a vc1/rvtools 1..1 bios=7 name=web01
         b vc1/vsphere 0..  bios=7 name=web01 id=vm-1 instance=1",
        "a=b",
    );
    check(
        "a vc1/rvtools 1..1 mac=1 name=web01 disks=40
         b vc1/vsphere 0..  mac=1 name=web01 disks=40 id=vm-1 instance=1",
        "a=b",
    );
    check(
        "a vc1/rvtools 1..1 name=web01 disks=40
         b vc1/vsphere 0..  name=web01 disks=40 id=vm-1 instance=1",
        "a~b",
    );
    check(
        "a vc1/rvtools 1..1 name=web01
         b vc1/vsphere 0..  name=web01 id=vm-1 instance=1",
        "",
    );
}

#[test]
fn a_host_and_its_manager_show_one_machine_and_a_copy_elsewhere_is_none() {
    let shown = |host: &str| {
        format!(
            "a vc1/vsphere  0.. id=vm-1 instance=1 mac=1 name=web01 on=esx01.corp.example
             e esx/vsphere  0.. id=7    instance=1 mac=1 name=web01 on={host}"
        )
    };
    check(&shown("ESX01.corp.example."), "a=e");
    // Another host, and one of which the short name alone is told: sites call theirs alike.
    check(&shown("esx02.corp.example"), "a~e a!e");
    check(&shown("esx01"), "a~e a!e");
    // A copy started on the same host has an instance UUID of its own, and is switched on.
    check(
        "a vc1/vsphere  0.. instance=1 bios=1 mac=1 name=web01 power=off on=esx01.corp.example
         e esx/vsphere  0.. instance=2 bios=1 mac=1 name=web01 power=off on=esx01.corp.example",
        "a~e a!e",
    );
}

#[test]
fn a_machine_registered_again_has_another_id_and_the_same_instance() {
    check(
        "a vc1/vsphere 0..3 id=vm-1 instance=1
         b vc1/vsphere 4..  id=vm-9 instance=1",
        "a=b",
    );
}

#[test]
fn a_number_used_again_is_another_machine() {
    check(
        "a pve/proxmox 0..3 id=100 bios=1 name=old
         b pve/proxmox 5..  id=100 bios=2 name=new",
        "",
    );
    // The export saw the first; of the second it may be an image only as far as the number tells.
    check(
        "a pve/proxmox 0..3 id=100 bios=1
         b pve/proxmox 5..  id=100 bios=2
         e pve/export  2..2 id=100",
        "a=e b~e",
    );
}

#[test]
fn a_move_keeps_the_bios_uuid_in_either_byte_order() {
    for bios in ["7", "~7"] {
        check(
            &format!(
                "a vc1/vsphere 0..3 bios=7 mac=1 host=web01 name=web01
                 p pve/proxmox 4..  bios={bios} mac=2 host=web01.corp.example.com name=web01"
            ),
            "a=p",
        );
    }
    // A UUID by itself is a copy's as well as a move's.
    check(
        "a vc1/vsphere 0..3 bios=7
         p pve/proxmox 4..  bios=7",
        "a~p",
    );
    // Worthless UUIDs are none.
    check(
        "a vc1/vsphere 0..3 bios=0 disks=40
         p pve/proxmox 4..  bios=0 disks=40",
        "",
    );
}

#[test]
fn a_move_with_a_new_uuid_is_found_by_address_and_names() {
    check(
        "a vc1/vsphere 0..3 bios=1 mac=1 host=web01 name=web01
         n ahv/nutanix 4..  bios=2 mac=1 host=web01 name=web01",
        "a=n",
    );
    // Two vCenters may give the same address: alone it is a proposal, and none beside another host name.
    check(
        "a vc1/vsphere 0..3 mac=1 disks=40
         n vc2/vsphere 4..  mac=1 disks=40",
        "a~n",
    );
    check(
        "a vc1/vsphere 0..3 mac=1 host=web01
         n vc2/vsphere 4..  mac=1 host=db01",
        "",
    );
}

#[test]
fn a_source_that_is_kept_switched_off_does_not_hide_a_move() {
    check(
        "a vc1/vsphere 0.. bios=7 name=web01 power=off
         p pve/proxmox 4.. bios=7 name=web01",
        "a=p",
    );
    // Which platform was collected first says nothing where creation is known.
    check(
        "a vc1/vsphere 4.. bios=7 name=web01 power=off created=-90
         p pve/proxmox 0.. bios=7 name=web01 created=-10",
        "a=p",
    );
    // The copy is off, the original runs: a replica, or a move to come.
    check(
        "a vc1/vsphere 0.. bios=7 name=web01
         p pve/proxmox 4.. bios=7 name=web01 power=off",
        "a~p a!p",
    );
    // Not knowing whether it runs is not knowing that it does not.
    check(
        "a vc1/vsphere 0.. bios=7 name=web01 power=?
         p pve/proxmox 4.. bios=7 name=web01",
        "a~p a!p",
    );
}

#[test]
fn a_short_handover_is_a_move_and_long_company_is_a_copy() {
    check(
        "a vc1/vsphere 0..6 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01",
        "a=p",
    );
    check(
        "a vc1/vsphere 0..7 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01",
        "a~p a!p",
    );
    // An export from the middle of the other's life is no handover.
    check(
        "a vc1/rvtools 6..6 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01",
        "a~p a!p",
    );
}

#[test]
fn clones_that_share_a_bios_uuid_are_not_merged() {
    check(
        "a vc1/vsphere 0.. id=vm-1 instance=1 bios=7 mac=1 host=web01 name=web01 disks=40
         b vc1/vsphere 0.. id=vm-2 instance=2 bios=7 mac=2 host=web02 name=web02 disks=40
         p pve/proxmox 4.. id=100 bios=7 mac=3 name=copy disks=40",
        "SharedUuid(a,b,p)",
    );
    // Address and host name single one out.
    check(
        "a vc1/vsphere 0..  id=vm-1 bios=7 mac=1 host=web01 name=web01
         b vc1/vsphere 0..3 id=vm-2 bios=7 mac=2 host=web02 name=web02
         p pve/proxmox 4..  id=100 bios=~7 mac=2 host=web02 name=web02",
        "b=p SharedUuid(a,b,p)",
    );
    // The original is gone before its clone is first seen by another source.
    check(
        "a vc1/rvtools 0..0 id=vm-1 bios=7 name=web01 disks=40
         b vc1/vsphere 9..  id=vm-2 bios=7 name=web02 disks=40",
        "a~b",
    );
}

#[test]
fn templates_and_linked_clones_pass_their_uuid_on() {
    check(
        "t vc1/vsphere 0..  bios=7 name=golden disks=40 kind=template
         m vc1/vsphere 0..3 bios=7 name=web01 disks=40
         p pve/proxmox 4..  bios=7 name=app09 disks=40",
        "SharedUuid(m,p,t)",
    );
    check(
        "t vc1/vsphere 0..3 bios=7 name=golden disks=40 kind=template
         p pve/proxmox 4..  bios=7 name=golden disks=40",
        "SharedUuid(p,t)",
    );
    check(
        "a pve/proxmox 0..3 bios=7 name=desk-1 disks=40 linked=yes
         b kvm/libvirt 4..  bios=7 name=desk-9 disks=40",
        "SharedUuid(a,b)",
    );
    // Made a template since the export: one object still.
    check(
        "a vc1/rvtools 1..1 id=vm-1
         b vc1/vsphere 5..  id=vm-1 kind=template",
        "a=b",
    );
    // A template seen by two sources is no copy of itself.
    check(
        "a vc1/rvtools 1..1 bios=7 name=golden kind=template
         b vc1/vsphere 5..  bios=7 name=golden kind=template id=vm-1",
        "a=b",
    );
}

#[test]
fn a_restore_beside_its_original_is_another_machine() {
    let original =
        "a vc1/vsphere 0.. id=vm-1 instance=1 bios=7 mac=1 host=db01 name=db01 disks=40,80";
    check(
        &format!(
            "{original}
             r vc1/vsphere 4.. id=vm-9 instance=9 bios=7 mac=1 host=db01 name=db01 disks=40,80"
        ),
        "",
    );
    // The same, each seen by one source alone: no number of equal facts outweighs two instances.
    check(
        &format!(
            "{original}
             r vc1/rvtools 4..4 id=vm-9 instance=9 bios=7 mac=1 host=db01 name=db01 disks=40,80"
        ),
        "",
    );
    check(
        &format!(
            "{original}
             r pve/proxmox 4.. id=100 bios=7 mac=1 host=db01 name=db01 disks=40,80"
        ),
        "a~r a!r",
    );
    // In its place, once the original is gone.
    check(
        "a vc1/vsphere 0..3 id=vm-1 instance=1 bios=7 mac=1 host=db01
         r vc1/vsphere 4..  id=vm-9 instance=9 bios=7 mac=1 host=db01",
        "a=r",
    );
}

#[test]
fn a_hardware_address_that_several_hold_is_no_key() {
    check(
        "a vc1/vsphere 0..3 mac=1 name=web01 disks=40
         b vc1/vsphere 0..3 mac=1 name=web02 disks=40
         p pve/proxmox 4..  mac=1 name=web01 disks=40",
        "a~p",
    );
    // One after the other, it still is.
    check(
        "a vc1/vsphere 0..1 mac=1 host=old name=old
         b vc1/vsphere 2..3 mac=1 host=web01 name=web01
         p pve/proxmox 4..  mac=1 host=web01 name=web01",
        "b=p",
    );
}

#[test]
fn appliances_cloned_to_two_vcenters_stay_two() {
    check(
        "a vc1/vsphere 0.. id=vm-1 instance=1 bios=7 mac=1 host=proxy name=proxy disks=16
         b vc2/vsphere 0.. id=vm-8 instance=1 bios=7 mac=1 host=proxy name=proxy disks=16",
        "a~b a!b",
    );
}

#[test]
fn one_platform_under_two_names_is_said_once() {
    let mut lines = String::new();
    for number in 1..=20 {
        for (key, platform) in [("a", "vc1/vsphere"), ("b", "export/rvtools")] {
            lines += &format!(
                "{key}{number:02} {platform} 0.. id=vm-{number} instance={number} bios={number} name=m{number}\n"
            );
        }
    }
    let correlation = told(&lines).correlate();
    assert_eq!(correlation.conflicts.len(), 1);
    let conflict = &correlation.conflicts[0];
    assert_eq!(conflict.kind, ConflictKind::PlatformTwice);
    assert_eq!(
        conflict.to_string(),
        "platforms `export`, `vc1` show the same ids and UUIDs at the same time, `a01`, `b01`, `a02`, \
         `b02`, `a03`, `b03` among them: one platform under two names, or a copy of it"
    );
    assert!(correlation.links.iter().all(|it| it.strength == Strength::Weak));
}

#[test]
fn a_recovery_placeholder_is_not_the_machine_whose_name_it_bears() {
    check(
        "a vc1/vsphere 0.. id=vm-1 instance=1 bios=7 name=db01 host=db01 disks=40
         b vc2/vsphere 0.. id=vm-5 instance=5 bios=7 name=db01 disks=40 kind=placeholder",
        "",
    );
    // Old exports show it as a machine like any other.
    check(
        "a vc2/rvtools 1..1 bios=7 name=db01
         b vc2/vsphere 0..  bios=7 name=db01 id=vm-5 kind=placeholder",
        "a=b",
    );
}

#[test]
fn a_pool_of_equal_desktops_links_each_to_itself_alone() {
    let mut world = World::default();
    for number in 0..100_u64 {
        for (feed, connector) in ["rvtools", "vsphere"].into_iter().enumerate() {
            let mut it = sighting(&format!("{number:03}-{feed}"), "vc1", connector);
            it.seen.first = day(1);
            it.seen.last = (feed == 0).then(|| day(1));
            it.name = "desktop".into();
            it.native_id = Observed::Value(format!("vm-{number}").into());
            it.instance_uuid = Observed::Value(uuid(1_000 + u128::from(number)));
            it.bios_uuid = Observed::Value(uuid(7));
            it.hostname = Observed::Value("gold-master".into());
            it.disk_bytes = Observed::Value(vec![64 << 30]);
            it.macs = entente_model::Listing::complete(vec![mac(number + 1)]);
            world.sightings.push(it);
        }
    }
    let correlation = world.correlate();
    let expected: Vec<_> =
        (0..100).map(|it| (format!("{it:03}-0"), format!("{it:03}-1"))).collect();
    let found: Vec<_> =
        correlation.links.iter().map(|it| (it.a.to_string(), it.b.to_string())).collect();
    assert_eq!(found, expected);
    assert!(correlation.links.iter().all(|it| it.strength == Strength::Strong));
    let limits: Vec<_> = correlation.limits.iter().map(|it| (it.kind, it.sightings)).collect();
    let expected = [LimitKind::BiosUuid, LimitKind::HostName, LimitKind::Name].map(|it| (it, 200));
    assert_eq!(limits, expected);
    const { assert!(BUCKET_SIGHTINGS_MAX < 200) };
}

#[test]
fn a_recorded_move_links_what_kept_nothing() {
    let lines = "a vc1/vsphere 0..3 bios=1 mac=1 name=web01
                 p pve/proxmox 4..  bios=2 mac=2 name=web01-new";
    check(lines, "");
    check(&format!("{lines}\nmove a p 4"), "a=p");
    check(
        "a vc1/vsphere 0.. bios=1 name=web01
         p pve/proxmox 4.. bios=2 name=web01-new
         move a p 4",
        "a~p MoveContradicted(a,p)",
    );
    check(
        "a vc1/vsphere 0..3 host=web01
         p pve/proxmox 4..  host=db01
         move a p 4",
        "a~p MoveContradicted(a,p)",
    );
}

#[test]
fn a_history_reads_through_two_moves_and_two_sources() {
    let world = told(
        "a vc1/rvtools 1..1 id=vm-1
         b vc1/vsphere 2..5 id=vm-1 bios=7 host=web01
         c pve/proxmox 6..9 id=100 bios=~7 host=web01 mac=3
         d kvm/libvirt 10.. bios=8 mac=3
         move c d 10",
    );
    let correlation = world.correlate();
    assert_eq!(correlation.identities.len(), 1);
    let explained = correlation.explain("d", "a").unwrap();
    let chain: Vec<_> = explained.chain.iter().map(|it| format!("{}{}", it.a, it.b)).collect();
    assert!(explained.is_same && explained.link.is_none());
    assert_eq!(chain, ["ab", "bc", "cd"]);
    assert_eq!(explained.chain[2].evidence[0].kind, EvidenceKind::Move);
    assert_eq!(correlation.identity("d").unwrap().id, "a");
}

#[test]
fn people_have_the_last_word_and_it_is_remembered() {
    let pair = "a vc1/rvtools 1..1 id=vm-1 instance=1
                b vc1/vsphere 0..  id=vm-1 instance=1";
    check(&format!("{pair}\nunlink a b 3"), "");
    check(&format!("{pair}\nunlink a b 3\nlink b a 4"), "a==b");
    check(&format!("{pair}\nlink a b 4\nunlink b a 4"), "");
    let weak = "a vc1/vsphere 0..3 bios=7
                p pve/proxmox 4..  bios=7";
    check(&format!("{weak}\nlink a p 5"), "a==p");
    // Against facts, too; but it is said.
    check(
        "a vc1/vsphere 0.. name=x
         b vc1/vsphere 0.. name=y
         link a b 5",
        "a==b DecisionAgainstFacts(a,b)",
    );
    let correlation =
        told(&format!("{pair}\nlink a b 4\nunlink a b 6\nlink a nobody 7")).correlate();
    let explained = correlation.explain("a", "b").unwrap();
    let in_force: Vec<_> = explained.rulings.iter().map(|it| it.in_force).collect();
    assert_eq!((explained.is_same, in_force), (false, vec![false, true]));
    assert_eq!(correlation.unknown_keys, ["nobody"]);
}

#[test]
fn what_people_part_is_not_joined_by_way_of_a_third() {
    // The weaker of the two links gives way.
    check(
        "a vc1/rvtools 1..1 id=vm-1 instance=1 bios=7 name=web01
         b vc1/vsphere 0..3 id=vm-1 instance=1 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01
         unlink a p 5",
        "a=b b~p DecisionsDisagree(b,p,a)",
    );
    // Between links by people, the earlier.
    check(
        "a vc1/vsphere 0..1
         b vc2/vsphere 2..3
         c vc3/vsphere 4..5
         link a b 5
         link b c 6
         unlink a c 4",
        "a~b b==c DecisionsDisagree(a,b,c)",
    );
}

#[test]
fn of_equal_claims_none_is_chosen() {
    // Two copies claim the machine that an old export shows; each by itself would do.
    check(
        "a vc1/rvtools 0..0 bios=7 name=web01 disks=40
         p pve/proxmox 4..  bios=7 name=web02 disks=40
         q kvm/libvirt 4..  bios=7 name=web03 disks=40",
        "a~p a~q p~q p!q Impossible(a,p,q) Impossible(a,q,p)",
    );
    // One with better evidence holds.
    check(
        "a vc1/rvtools 0..0 bios=7 name=web01 host=web01 mac=1
         p pve/proxmox 4..  bios=7 name=web01 host=web01 mac=1
         q kvm/libvirt 4..  bios=7 name=web03 host=web01 mac=2",
        "a=p a~q p~q p!q Impossible(a,q,p)",
    );
}

#[test]
fn a_copy_is_not_let_in_through_an_old_export() {
    check(
        "a vc1/vsphere 0..  id=vm-1 bios=7 name=web01
         e vc1/rvtools 1..1 id=vm-1 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01",
        "a=e a~p e~p a!p Impossible(e,p,a)",
    );
}

#[test]
fn the_unobserved_speaks_neither_for_nor_against() {
    let world = told(
        "a vc1/vsphere 0..3 bios=7 name=web01
         p pve/proxmox 4..  bios=7 name=web01 mac=1 host=web01 disks=40 id=100",
    );
    let correlation = world.correlate();
    let kinds: Vec<_> = correlation.links[0].evidence.iter().map(|it| (it.kind, it.side)).collect();
    assert_eq!(kinds, [(EvidenceKind::BiosUuid, Side::For), (EvidenceKind::Name, Side::For)]);
    check("a vc1/vsphere 0..3 name=x\np pve/proxmox 4.. name=y", "");
}

#[test]
fn evidence_shows_values_and_what_speaks_against() {
    let world = told(
        "a vc1/vsphere 0..3 bios=7 name=web01 host=web01 mac=1,2 disks=40
         p pve/proxmox 4..  bios=7 name=renamed host=web01 mac=2,3 disks=40,80",
    );
    let correlation = world.correlate();
    let told: Vec<(EvidenceKind, Side, Vec<Text>)> = correlation.links[0]
        .evidence
        .iter()
        .map(|it| (it.kind, it.side, it.values.clone()))
        .collect();
    assert_eq!(
        told,
        [
            (EvidenceKind::BiosUuid, Side::For, vec![uuid(7).to_string().into()]),
            (EvidenceKind::Mac, Side::For, vec![mac(2)]),
            (EvidenceKind::HostName, Side::For, vec!["web01".into()]),
            (
                EvidenceKind::Disks,
                Side::Against,
                vec!["40960 MiB".into(), "40960 MiB, 81920 MiB".into()]
            ),
            (EvidenceKind::Name, Side::Against, vec!["web01".into(), "renamed".into()]),
        ]
    );
}

#[test]
fn a_key_given_twice_is_reported() {
    let one = sighting("a", "vc1", "vsphere");
    let mut other = one.clone();
    other.name = "zzz".into();
    let correlation = correlate(&[other.clone(), one.clone()], &[], &[]);
    assert_eq!(correlation, correlate(&[one, other], &[], &[]));
    assert_eq!(correlation.identities.len(), 1);
    assert_eq!(correlation.conflicts[0].kind, ConflictKind::KeyTwice);
}

#[test]
fn a_component_too_large_to_look_through_is_reported_and_joins_nothing_by_facts() {
    let mut lines = String::new();
    let count = COMPONENT_SIGHTINGS_MAX + 1;
    for number in 0..count {
        lines += &format!("s{number:04} p{}/x {number}..{number} name=n{number}\n", number % 2);
        if number > 0 {
            lines += &format!("move s{:04} s{number:04} 0\n", number - 1);
        }
    }
    let correlation = told(&lines).correlate();
    let limits: Vec<_> = correlation.limits.iter().map(|it| (it.kind, it.sightings)).collect();
    assert_eq!(limits, [(LimitKind::Component, count)]);
    assert!(correlation.conflicts.is_empty());
    assert_eq!(correlation.identities.len(), count);
    // Decisions still join, and part.
    let linked = lines.replace("move", "link");
    assert_eq!(told(&linked).correlate().identities.len(), 1);
    let parted = format!("{linked}unlink s0000 s0002 9\n");
    assert!(told(&parted).correlate().identities.len() > 1);
}
