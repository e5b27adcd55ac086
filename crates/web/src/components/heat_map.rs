//! Heat maps. They are tables whose cells carry a tint, so that they can be read, searched, printed
//! and used with a keyboard like any table.

use maud::{Markup, html};

use crate::format;

/// One cell of a heat map.
#[derive(Clone, Debug)]
pub struct HeatCell<'a> {
    /// Style class that gives the hue: that of a verdict.
    pub class: &'a str,
    /// How many.
    pub part: u64,
    /// Of how many; decides how strong the tint is.
    pub whole: u64,
    /// What the cell counts, for those who do not see its place.
    pub label: String,
    /// Attributes `data-filter-…` that the link to the workload table carries.
    pub filter: Vec<(&'static str, &'a str)>,
}

/// Number and share on a tint; a link to the workloads behind it unless there are none.
pub fn heat_cell(cell: &HeatCell<'_>) -> Markup {
    let tint = tint(cell.part, cell.whole);
    html! {
        div class={ "heat " (cell.class) } style={ "--tint:" (tint) "%" } {
            @if cell.part == 0 {
                span.heat-zero { "0" }
            } @else {
                (workloads_link(&cell.filter, html! {
                    b { (format::count(cell.part)) }
                    " "
                    small { (format::share(cell.part, cell.whole)) }
                    span.hidden-text { " " (cell.label) }
                }))
            }
        }
    }
}

/// A link to the workload table that also sets its filters where scripts run.
pub fn workloads_link(filter: &[(&'static str, &str)], content: Markup) -> Markup {
    let value = |name: &str| filter.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    html! {
        a href="#workloads"
            data-filter-target=[value("target")]
            data-filter-verdict=[value("verdict")]
            data-filter-cluster=[value("cluster")]
            data-filter-kind=[value("kind")]
            data-filter-check=[value("check")]
            data-filter-text=[value("text")]
        { (content) }
    }
}

/// How strong a tint is, in percent: visible as soon as there is anything.
fn tint(part: u64, whole: u64) -> u64 {
    if part == 0 || whole == 0 {
        return 0;
    }
    8 + u64::try_from(u128::from(part) * 42 / u128::from(whole)).unwrap_or(42)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_one_is_visible_and_all_is_strongest() {
        assert_eq!(tint(0, 10), 0);
        assert_eq!(tint(1, 50_000), 8);
        assert_eq!(tint(10, 10), 50);
    }
}
