//! Random well-typed expressions, each once in our words and once in CEL's.

/// A stream of choices; at its end, always the first, which is the simplest.
pub struct Choices<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Choices<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number below `of`.
    pub fn pick(&mut self, of: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % of
    }
}

/// Texts in worlds and expressions.
pub const TEXTS: [&str; 6] = ["a", "b", "ab", "Ab", "", "é"];

/// An expression of type bool.
#[derive(Debug)]
pub struct Generated {
    pub ours: String,
    pub theirs: String,
    /// Holds `filter`, `map`, `exists_one` or a list of computed elements: there, CEL gives up at
    /// the first error, and we do not.
    pub builds_lists: bool,
}

impl Generated {
    pub fn new(bytes: &[u8]) -> Self {
        let mut maker = Maker { choices: Choices::new(bytes), variables: 0, builds_lists: false };
        let Both { ours, theirs } = maker.bool(4);
        Self { ours, theirs, builds_lists: maker.builds_lists }
    }
}

/// The same in our words and in CEL's.
#[derive(Clone)]
struct Both {
    ours: String,
    theirs: String,
}

impl From<&str> for Both {
    fn from(both: &str) -> Self {
        Self { ours: both.to_owned(), theirs: both.to_owned() }
    }
}

/// Fills the `{}` of `template` in turn.
fn fill(template: &str, parts: &[&Both]) -> Both {
    let with = |of: fn(&Both) -> &str| {
        let mut pieces = template.split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (piece, part) in pieces.zip(parts) {
            text.push_str(of(part));
            text.push_str(piece);
        }
        text
    };
    Both { ours: with(|it| &it.ours), theirs: with(|it| &it.theirs) }
}

struct Maker<'b> {
    choices: Choices<'b>,
    /// How many macros are open: their variables are `v0`, `v1` …
    variables: usize,
    builds_lists: bool,
}

impl Maker<'_> {
    fn one_of(&mut self, options: &[&str]) -> Both {
        let at = self.choices.pick(options.len());
        options.get(at).copied().unwrap_or_default().into()
    }

    /// An attribute: of the root, of its part, or of a macro's variable.
    fn attribute(&mut self, of_root: &[&str], of_item: &str) -> Both {
        match self.choices.pick(if self.variables > 0 { 4 } else { 2 }) {
            0 => {
                let name = self.one_of(of_root);
                fill("r.{}", &[&name])
            }
            1 => fill("r.part.{}", &[&of_item.into()]),
            _ => self.of_variable(of_item),
        }
    }

    fn of_variable(&mut self, attribute: &str) -> Both {
        let variable = self.choices.pick(self.variables);
        Both::from(format!("v{variable}.{attribute}").as_str())
    }

    fn bool(&mut self, depth: usize) -> Both {
        if depth == 0 {
            return match self.choices.pick(4) {
                0 => self.one_of(&["true", "false"]),
                1 => self.has(),
                _ => self.attribute(&["flag", "mark"], "flag"),
            };
        }
        let depth = depth - 1;
        match self.choices.pick(18) {
            0 => self.bool(0),
            1 | 2 => self.pair("({} && {})", depth, Self::bool),
            3 | 4 => self.pair("({} || {})", depth, Self::bool),
            5 => fill("!{}", &[&self.bool(depth)]),
            6 | 7 => self.comparison(depth),
            8 => self.null_test(),
            9 => self.has(),
            10 => self.membership(depth),
            11 => {
                let test = self.one_of(&["startsWith", "endsWith", "contains"]);
                fill("{}.{}({})", &[&self.text(depth), &test, &self.text(0)])
            }
            12 => self.over_items("exists", depth),
            13 => self.over_items("all", depth),
            14 => self.built_list(depth),
            15 => {
                let list = self.one_of(&["r.items", "r.tags"]);
                let comparison = self.comparison_sign();
                let bound = self.one_of(&["0", "1", "2", "3"]);
                fill("(size({}) {} {})", &[&list, &comparison, &bound])
            }
            16 => {
                let (a, b, c) = (self.bool(depth), self.bool(depth), self.bool(depth));
                fill("({} ? {} : {})", &[&a, &b, &c])
            }
            _ => self.pair("({} == {})", depth, Self::bool),
        }
    }

    fn pair(&mut self, template: &str, depth: usize, of: fn(&mut Self, usize) -> Both) -> Both {
        let (left, right) = (of(self, depth), of(self, depth));
        fill(template, &[&left, &right])
    }

    fn comparison_sign(&mut self) -> Both {
        self.one_of(&["==", "!=", "<", "<=", ">", ">="])
    }

    fn comparison(&mut self, depth: usize) -> Both {
        let (left, right) = match self.choices.pick(4) {
            0 => (self.text(depth), self.text(depth)),
            // Small, because the oracle rounds the whole number and we do not.
            1 => (fill("({} % 100)", &[&self.int(depth)]), self.double(depth)),
            2 => (self.double(depth), fill("({} % 100)", &[&self.int(depth)])),
            _ => (self.int(depth), self.int(depth)),
        };
        let sign = self.comparison_sign();
        fill("({} {} {})", &[&left, &sign, &right])
    }

    fn null_test(&mut self) -> Both {
        let attribute = self.attribute(&["mark", "limit", "note", "part", "labels.a"], "count");
        let attribute = match attribute.ours.as_str() {
            "r.labels.a" => key("a"),
            _ => attribute,
        };
        let sign = self.one_of(&["==", "!="]);
        fill("({} {} null)", &[&attribute, &sign])
    }

    /// In CEL, `has` asks whether a field is set, which a null one is; ours asks for a value.
    fn has(&mut self) -> Both {
        match self.choices.pick(if self.variables > 0 { 4 } else { 3 }) {
            0 => {
                let name = self.one_of(&["mark", "limit", "note", "part", "count"]);
                let Both { ours, theirs } = fill("r.{}", &[&name]);
                Both { ours: format!("has({ours})"), theirs: format!("({theirs} != null)") }
            }
            1 => {
                let name = self.one_of(&["flag", "count", "name"]).ours;
                Both {
                    ours: format!("has(r.part.{name})"),
                    theirs: format!("(r.part != null && r.part.{name} != null)"),
                }
            }
            2 => {
                let key = self.one_of(&["a", "b"]).ours;
                Both {
                    ours: format!("has(r.labels.{key})"),
                    theirs: format!("(\"{key}\" in r.labels)"),
                }
            }
            _ => {
                let Both { ours, theirs } = self.of_variable("name");
                Both { ours: format!("has({ours})"), theirs: format!("({theirs} != null)") }
            }
        }
    }

    fn membership(&mut self, depth: usize) -> Both {
        match self.choices.pick(5) {
            0 => fill("({} in [\"a\", \"ab\"])", &[&self.text(depth)]),
            1 => fill("({} in r.tags)", &[&self.text(depth)]),
            2 => fill("({} in r.labels)", &[&self.text(depth)]),
            3 => {
                self.builds_lists = true;
                let (item, element) = (self.text(depth), self.text(depth));
                fill("({} in [\"b\", {}])", &[&item, &element])
            }
            _ => fill("({} in [1, 2, 7])", &[&self.int(depth)]),
        }
    }

    /// A macro over the items, with one more variable in its body.
    fn over_items(&mut self, name: &str, depth: usize) -> Both {
        let variable = self.variables;
        self.variables += 1;
        let body = self.bool(depth);
        self.variables -= 1;
        fill(&format!("r.items.{name}(v{variable}, {{}})"), &[&body])
    }

    fn built_list(&mut self, depth: usize) -> Both {
        self.builds_lists = true;
        match self.choices.pick(4) {
            0 => self.over_items("exists_one", depth),
            1 => {
                let filtered = self.over_items("filter", depth);
                let (sign, bound) = (self.comparison_sign(), self.one_of(&["0", "1", "2"]));
                fill("(size({}) {} {})", &[&filtered, &sign, &bound])
            }
            2 => {
                let filtered = self.over_items("filter", depth);
                let quantifier = self.one_of(&["exists", "all"]);
                let variable = self.variables;
                self.variables += 1;
                let body = self.bool(depth);
                self.variables -= 1;
                fill(&format!("{{}}.{{}}(v{variable}, {{}})"), &[&filtered, &quantifier, &body])
            }
            _ => {
                let variable = self.variables;
                self.variables += 1;
                let result = self.int(depth);
                self.variables -= 1;
                let list = fill(&format!("r.items.map(v{variable}, {{}})"), &[&result]);
                let item = self.int(0);
                fill("({} in {})", &[&item, &list])
            }
        }
    }

    fn int(&mut self, depth: usize) -> Both {
        if depth == 0 {
            return match self.choices.pick(2) {
                0 => self.one_of(&["0", "1", "2", "-1", "7"]),
                _ => self.attribute(&["count", "limit"], "count"),
            };
        }
        let depth = depth - 1;
        match self.choices.pick(10) {
            0 => self.int(0),
            1 => self.pair("({} + {})", depth, Self::int),
            2 => self.pair("({} - {})", depth, Self::int),
            3 => self.pair("({} * {})", depth, Self::int),
            4 => self.pair("({} / {})", depth, Self::int),
            5 => self.pair("({} % {})", depth, Self::int),
            6 => fill("(-({}))", &[&self.int(depth)]),
            7 => {
                let text = self.text(depth);
                fill("size({})", &[&text])
            }
            8 => self.one_of(&["r.items[0].count", "r.items[1].count", "size(r.tags)"]),
            _ => {
                let (a, b, c) = (self.bool(depth), self.int(depth), self.int(depth));
                fill("({} ? {} : {})", &[&a, &b, &c])
            }
        }
    }

    fn double(&mut self, depth: usize) -> Both {
        match self.choices.pick(if depth == 0 { 2 } else { 6 }) {
            0 => self.one_of(&["0.5", "1.0", "-1.5", "2.5"]),
            1 => "r.ratio".into(),
            2 => self.pair("({} + {})", depth - 1, Self::double),
            3 => self.pair("({} * {})", depth - 1, Self::double),
            4 => self.pair("({} / {})", depth - 1, Self::double),
            _ => fill("double({})", &[&self.int(depth - 1)]),
        }
    }

    fn text(&mut self, depth: usize) -> Both {
        if depth == 0 {
            return match self.choices.pick(3) {
                0 => {
                    let at = self.choices.pick(TEXTS.len());
                    Both::from(format!("{:?}", TEXTS[at]).as_str())
                }
                1 => key(["a", "b"][self.choices.pick(2)]),
                _ => self.attribute(&["name", "note"], "name"),
            };
        }
        let depth = depth - 1;
        match self.choices.pick(4) {
            0 => self.text(0),
            1 => self.pair("({} + {})", depth, Self::text),
            2 => fill("{}.lowerAscii()", &[&self.text(depth)]),
            _ => {
                let (a, b, c) = (self.bool(depth), self.text(depth), self.text(depth));
                fill("({} ? {} : {})", &[&a, &b, &c])
            }
        }
    }
}

/// In CEL, a missing key is an error; ours reads as null.
fn key(name: &str) -> Both {
    Both {
        ours: format!("r.labels[\"{name}\"]"),
        theirs: format!("(\"{name}\" in r.labels ? r.labels[\"{name}\"] : null)"),
    }
}
