//! The frame around a page: everything it needs is inside, and its policy forbids it to load more.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a page may do: run what is in it, and load nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; base-uri 'none'; form-action 'none'";

const LIGHT: &str = include_str!("../../assets/theme-light.css");
const DARK: &str = include_str!("../../assets/theme-dark.css");
const STYLE: &str = include_str!("../../assets/report.css");
const PRINT: &str = include_str!("../../assets/print.css");
const THEME_SCRIPT: &str = include_str!("../../assets/theme.js");
const REVEAL_SCRIPT: &str = include_str!("../../assets/reveal.js");
const CHARTS_SCRIPT: &str = include_str!("../../assets/charts.js");
const LIBRARY: &str = include_str!(concat!(env!("OUT_DIR"), "/echarts.js"));
const NOTICES: &str = include_str!(concat!(env!("OUT_DIR"), "/notices.txt"));

/// A self-contained page.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Title of the window and first heading.
    pub title: &'a str,
    /// One line under the heading.
    pub subtitle: Markup,
    /// Anchor and title of each section.
    pub navigation: &'a [(&'a str, &'a str)],
    /// The sections.
    pub body: Markup,
    /// The last lines.
    pub footer: Markup,
    /// Scripts of this page, after those that every page has.
    pub scripts: &'a [&'a str],
}

impl Page<'_> {
    /// The whole document.
    pub fn render(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(styles())) }
                    // Before the first paint, or a chosen theme would flash.
                    script { (PreEscaped(THEME_SCRIPT)) }
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    (self.header())
                    (self.contents())
                    main id="main" tabindex="-1" { (self.body) }
                    footer { (self.footer) }
                    (PreEscaped("<!--\nThird-party software in this page: Apache ECharts with zrender and tslib.\n\n"))
                    (PreEscaped(NOTICES))
                    (PreEscaped("-->\n"))
                    script { (PreEscaped(LIBRARY)) }
                    script { (PreEscaped(CHARTS_SCRIPT)) }
                    script { (PreEscaped(REVEAL_SCRIPT)) }
                    @for script in self.scripts { script { (PreEscaped(*script)) } }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header {
                div {
                    h1 { (self.title) }
                    div.subtitle { (self.subtitle) }
                }
                button id="theme" type="button" hidden { "Theme: automatic" }
            }
        }
    }

    fn contents(&self) -> Markup {
        html! {
            nav aria-label="Contents" {
                ol {
                    @for (id, title) in self.navigation { li { a href={ "#" (id) } { (title) } } }
                }
            }
        }
    }
}

/// One set of colour names with two sets of values; paper is always light.
fn styles() -> String {
    format!(
        ":root{{{LIGHT}}}\n\
         @media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{DARK}}}}}\n\
         :root[data-theme=dark]{{{DARK}}}\n\
         {STYLE}\n\
         @media print{{:root:root:root{{{LIGHT}}}\n{PRINT}}}"
    )
}
