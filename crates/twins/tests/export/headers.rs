//! Header sets of each version, against golden texts.

use entente_twins::rvtools::{Tab, Version, headers};

use crate::golden;

#[test]
fn header_sets_are_those_of_each_version() {
    for version in Version::ALL {
        let mut text = String::new();
        for tab in Tab::ALL {
            let headers = headers(tab, version);
            if headers.is_empty() {
                continue;
            }
            text.push_str(&format!("{} ({})\n", tab.name(), headers.len()));
            for header in headers {
                // A bar shows spaces at the end.
                text.push_str(&format!("  {header}|\n"));
            }
        }
        golden::check(&format!("headers-{}.txt", version.number()), &text);
    }
}

#[test]
fn the_newest_version_has_the_documented_number_of_tabs_and_columns() {
    let counts = Tab::ALL.map(|tab| {
        let headers = headers(tab, Version::V4_7);
        (tab.name(), headers.iter().filter(|it| !it.starts_with('⟨')).count())
    });
    let expected = [
        ("vInfo", 90),
        ("vCPU", 29),
        ("vMemory", 33),
        ("vDisk", 40),
        ("vPartition", 22),
        ("vNetwork", 27),
        ("vFloppy", 0),
        ("vCD", 20),
        ("vUSB", 25),
        ("vSnapshot", 21),
        ("vTools", 29),
        ("vSource", 14),
        ("vRP", 49),
        ("vCluster", 34),
        ("vHost", 70),
        ("vHBA", 13),
        ("vNIC", 14),
        ("vSwitch", 23),
        ("vPort", 22),
        ("dvSwitch", 30),
        ("dvPort", 41),
        ("vSC_VMK", 15),
        ("vDatastore", 30),
        ("vMultiPath", 35),
        ("vLicense", 10),
        ("vFileInfo", 8),
        ("vHealth", 5),
        ("vMetaData", 4),
    ];
    assert_eq!(counts, expected);
}
