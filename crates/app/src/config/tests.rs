//! Configurations with and without mistakes, as a person sees them.

use std::fs;

use entente_model::Moment;
use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"
[limits]
answer_seconds = 120

[platforms.vc-berlin]
connector = "vsphere"
address = "vcenter.example.com"
site = "Berlin"
owner = "platform team"
user = "entente@vsphere.local"
password = "env:PATH"
pin = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"

[platforms.pve]
connector = "proxmox"
address = "pve1.example.com"
token = "entente@pve!read"
secret = "file:pve.secret"
ca = "pve-ca.pem"
limits = { answer_seconds = 30 }

[platforms.kvm1]
connector = "libvirt"
address = "qemu+unix:///system"
"#;

fn taken() -> Moment {
    "2026-11-22T00:00:00Z".parse().unwrap()
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("entente.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// What a person sees of the mistakes, without the folder's name.
fn mistakes(text: &str) -> String {
    let (folder, path) = written(text);
    let error = Config::read(&path).unwrap_err();
    assert_eq!(error.code(), "ENT-0121");
    error.hint().replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn platforms_have_their_own_limits_over_the_common_ones_and_files_beside_the_configuration() {
    let (folder, path) = written(GOOD);
    fs::write(folder.path().join("pve.secret"), "hush\n").unwrap();
    let config = Config::read(&path).unwrap();
    let seconds: Vec<_> =
        config.platforms.iter().map(|it| (it.id.as_str(), it.limits.answer_seconds)).collect();
    assert_eq!(seconds, [("kvm1", 120), ("pve", 30), ("vc-berlin", 120)]);
    let target = config.platforms[1].target(taken()).unwrap();
    let Credentials::Token { id, secret } = &target.credentials else { panic!("no token") };
    assert_eq!((id.as_str(), secret.reveal().as_str()), ("entente@pve!read", "hush"));
    assert_eq!(target.trust, Trust::Authority(folder.path().join("pve-ca.pem")));
    assert!(matches!(config.platforms[0].target(taken()).unwrap().credentials, Credentials::None));
}

#[test]
fn a_wrong_word_is_shown_in_its_line_with_the_nearest_right_one() {
    let shown = mistakes(&GOOD.replace("address = \"vcenter", "adress = \"vcenter"));
    assert!(shown.contains("entente.toml:7:1: unknown field `adress`"), "{shown}");
    assert!(shown.contains("7 | adress = \"vcenter.example.com\"\n  | ^^^^^^"), "{shown}");
    assert!(shown.contains("did you mean `address`?"), "{shown}");
    let shown = mistakes(&GOOD.replace("\"proxmox\"", "\"promox\""));
    assert!(shown.contains("there is no connector `promox`"), "{shown}");
    assert!(shown.contains("did you mean `proxmox`?"), "{shown}");
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("answer_seconds = 120", "answer_seconds = 0")
        .replace("pin = \"00:11", "pin = \"11")
        .replace("token = \"entente@pve!read\"\n", "");
    let shown = mistakes(&text);
    let order = ["`answer_seconds` must be at least 1", "SHA-256", "not one pair"];
    let places: Vec<_> = order.iter().map(|it| shown.find(it)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{shown}");
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let shown = mistakes(&GOOD.replace("env:PATH", "hunter2"));
    assert!(shown.contains("a secret does not stand in the configuration"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_missing_secret_names_the_place_and_a_missing_platform_the_nearest() {
    let (_folder, path) = written(&GOOD.replace("env:PATH", "env:ENTENTE_NOT_SET"));
    let config = Config::read(&path).unwrap();
    let error = config.platforms[2].target(taken()).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "ENT-0122");
    assert!(error.to_string().contains("the variable `ENTENTE_NOT_SET`"), "{error}");
    let error = config.chosen(&["vc-berln".to_owned()]).unwrap_err();
    assert_eq!((error.code(), error.hint().as_str()), ("ENT-0123", "did you mean `vc-berlin`?"));
    assert_eq!(config.chosen(&["pve".to_owned()]).unwrap().len(), 1);
}

#[test]
fn an_empty_or_broken_file_is_told_so() {
    assert!(mistakes("").contains("no platform is configured"));
    assert!(mistakes("[platforms.a\n").contains("entente.toml:1:"));
    let missing = Config::read(Path::new("no/such/entente.toml")).unwrap_err();
    assert_eq!(missing.code(), "ENT-0120");
}

#[test]
fn how_old_things_may_be_and_how_long_they_are_kept_is_said_once_or_for_each_platform() {
    let (_folder, path) = written(GOOD);
    let config = Config::read(&path).unwrap();
    assert_eq!(config.freshness, Freshness::default());
    assert_eq!(config.retention, RetentionPolicy::default());
    let text = format!(
        "fresh_for = \"2h\"\n[exports]\nfresh_for = \"30d\"\n[retention]\nstates = \"52w\"\n{}",
        GOOD.replace("site =", "fresh_for = \"20m\"\nsite =")
    );
    let (_folder, path) = written(&text);
    let config = Config::read(&path).unwrap();
    let seconds =
        |platform: &str, connector: &str| config.freshness.limit(platform, connector).as_secs();
    let limits = [("vc-berlin", "vsphere"), ("vc-berlin", "rvtools"), ("pve", "proxmox")];
    assert_eq!(limits.map(|it| seconds(it.0, it.1)), [1_200, 30 * 86_400, 7_200]);
    let now = time::macros::datetime!(2026-11-22 00:00 UTC);
    let keep = config.retention.keep(now);
    assert_eq!(keep.states_before, Some(now - time::Duration::days(364)));
    assert_eq!(keep.samples_before, Some(now - time::Duration::days(400)));
}

#[test]
fn a_time_that_is_none_is_shown_in_its_place() {
    let text = format!(
        "fresh_for = \"soon\"\n[exports]\nfresh_for = \"0d\"\n[retention]\nsamples = \"a year\"\n{}",
        GOOD.replace("site =", "fresh_for = \"20\"\nsite =")
    );
    let shown = mistakes(&text);
    for (line, column, given) in [(1, 13, "soon"), (3, 13, "0d"), (5, 11, "a year"), (13, 13, "20")]
    {
        let place = format!("entente.toml:{line}:{column}: `{given}` is no length of time");
        assert!(shown.contains(&place), "{place}\n{shown}");
    }
    let shown = mistakes(&format!("[retention]\nstate = \"1d\"\n{GOOD}"));
    assert!(shown.contains("entente.toml:2:1: unknown field `state`"), "{shown}");
    assert!(shown.contains("did you mean `states`?"), "{shown}");
}
