//! Links between documents of the house lead somewhere.

use crate::{Fault, House};

/// Every relative link of a Markdown file whose target is no file and no folder of the house.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in house.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (index, line) in text.lines().enumerate() {
            for target in targets(line) {
                if !leads_somewhere(house, path, target) {
                    let sentence = format!("the link to `{target}` leads nowhere");
                    faults.push(Fault::on_line(path, index + 1, sentence));
                }
            }
        }
    }
    faults
}

/// What stands between `](` and `)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn leads_somewhere(house: &House, from: &str, target: &str) -> bool {
    let target = target.split('#').next().unwrap_or_default();
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/').filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let wanted = parts.join("/");
    let below = format!("{wanted}/");
    house.paths().any(|path| path == wanted || path.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_from_where_they_stand() {
        let house = House::of(&[
            ("README.md", "[a](docs/a.md) [b](docs/) [c](https://example.org/x) [d](#here)"),
            ("docs/a.md", "[up](../README.md#top)\n[gone](b.md) and [out](../../x)"),
        ]);
        let faults: Vec<_> = check(&house).iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "docs/a.md:2: the link to `b.md` leads nowhere",
                "docs/a.md:2: the link to `../../x` leads nowhere"
            ]
        );
    }
}
