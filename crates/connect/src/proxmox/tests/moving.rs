//! Guests that are not where they were listed: moved, deleted, or there all the same.

use entente_model::{Collection, GapCause, Observed, PowerState};
use serde_json::{Value, json};

use super::configs::{data, script};
use super::replay::{Script, Turns, collect, gaps, has_gap, password, play_in_turn, target};

const CONFIG: &str = "GET /nodes/pve/qemu/100/config";
const LIST: &str = "GET /cluster/resources";

fn gone(node: &str) -> (u16, String) {
    let said = format!("Configuration file 'nodes/{node}/qemu-server/100.conf' does not exist\n");
    (500, json!({"data": null, "message": said}).to_string())
}

fn listed(node: &str, status: &str) -> Value {
    json!({"type": "qemu", "vmid": 100, "node": node, "status": status, "name": "web", "maxcpu": 3})
}

async fn read(script: Script, turns: Turns) -> Collection {
    let played = play_in_turn(script, turns).await;
    collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap()
}

/// Two nodes; the guest's configuration is not on the first.
fn two_nodes() -> Script {
    let mut script = script("9.1.5", "qemu", "running", &json!({}));
    let nodes = ["pve", "other"].map(|it| json!({"node": it, "status": "online"}));
    script.insert("GET /nodes".into(), data(json!(nodes)));
    script.insert(CONFIG.into(), gone("pve"));
    script
}

#[tokio::test]
async fn a_guest_that_moves_while_it_is_read_is_read_where_it_is() {
    let mut script = two_nodes();
    let base = "GET /nodes/other/qemu/100";
    script.insert(format!("{base}/config"), data(json!({"cores": 2, "memory": "512"})));
    script.insert(format!("{base}/snapshot"), data(json!([{"name": "current"}])));
    script.insert(format!("{base}/pending"), data(json!([])));
    script.insert(
        format!("{base}/status/current"),
        data(json!({"status": "running", "qmpstatus": "running"})),
    );
    let lists = [listed("pve", "running"), listed("other", "running")];
    let turns = Turns::from([(LIST.into(), lists.map(|it| data(json!([it]))).to_vec())]);
    let collection = read(script, turns).await;
    let machine = &collection.workloads[0];
    assert_eq!(machine.placement.host.value().unwrap().as_str(), "pve/other");
    assert_eq!(machine.cpu.count, Observed::Value(2));
    assert_eq!(machine.power, Observed::Value(PowerState::On));
    assert!(machine.snapshots.is_complete() && machine.disks.is_complete());
    assert!(!has_gap(&collection, GapCause::Vanished, "workloads"), "{:#?}", gaps(&collection));
}

#[tokio::test]
async fn a_guest_that_is_nowhere_any_more_is_gone() {
    let turns = Turns::from([(
        LIST.into(),
        vec![data(json!([listed("pve", "running")])), data(json!([]))],
    )]);
    let collection = read(two_nodes(), turns).await;
    assert_eq!(collection.workloads, []);
    assert!(has_gap(&collection, GapCause::Vanished, "workloads"), "{:#?}", gaps(&collection));
}

#[tokio::test]
async fn a_guest_that_is_listed_all_the_same_is_not_gone() {
    let turns = Turns::from([(LIST.into(), vec![data(json!([listed("pve", "running")]))])]);
    let collection = read(two_nodes(), turns).await;
    let machine = &collection.workloads[0];
    assert_eq!((machine.name.as_str(), machine.disks.is_complete()), ("web", false));
    assert!(has_gap(&collection, GapCause::Vanished, "workloads"));
    // A list that cannot be understood in part, or that is refused, does not say that it is gone.
    for second in [data(json!(["odd"])), (403, "{}".to_owned())] {
        let lists = vec![data(json!([listed("pve", "running")])), second];
        let collection = read(two_nodes(), Turns::from([(LIST.into(), lists)])).await;
        assert_eq!(collection.workloads.len(), 1);
    }
}

#[tokio::test]
async fn what_a_node_says_of_its_guests_beats_the_clusters_list() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({"cores": 1}));
    let own = json!([{"vmid": 100, "status": "running", "name": "web", "uptime": 9}]);
    script.insert("GET /nodes/pve/qemu".into(), data(own));
    let collection = read(script, Turns::new()).await;
    let machine = &collection.workloads[0];
    assert_eq!(machine.power, Observed::Value(PowerState::On));
    assert_eq!(machine.samples.guest_state, Observed::Value("running".into()));
    assert!(has_gap(&collection, GapCause::Conflict, "workloads"), "{:#?}", gaps(&collection));
}
