//! Templates by chance: mostly sensible, some with wrong types, some that are no templates at all.

use crate::functions::{FUNCTIONS, Signature, Want};
use crate::random::Random;
use crate::sessions::{HEADERS, KEYS, TEXTS};
use crate::words::{FLOATS, INTS, NOISE, SPACE, STRINGS};

use Want::{Any, Bool, Float, Int, List, Map, Own, Text};

/// What puts its arguments into something.
const CONTAINERS: &[&str] = &[
    "list",
    "tuple",
    "dict",
    "append",
    "push",
    "mustAppend",
    "mustPush",
    "prepend",
    "mustPrepend",
];

/// Writes one template.
pub(crate) struct Generator<'r> {
    random: &'r mut Random,
    /// Variables known here, with what they hold.
    variables: Vec<(String, Want)>,
    defined: Vec<String>,
    ranges: usize,
    serial: usize,
    /// How many arguments in a hundred are of any type.
    careless: usize,
}

/// One template's text.
pub(crate) fn template(random: &mut Random) -> String {
    match random.below(20) {
        0 => noise(random),
        1 => {
            let whole = Generator::new(random).body(2);
            mutilated(random, &whole)
        }
        2 => formatting(random),
        3 => lonely_literal(random),
        4 | 5 => Generator::new(random).methods(),
        6..=11 => {
            let mut generator = Generator::new(random);
            let action = generator.pipeline(Any, 3);
            format!("{{{{ {action} }}}}")
        }
        12..=17 => Generator::new(random).body(1),
        _ => Generator::new(random).body(2),
    }
}

fn noise(random: &mut Random) -> String {
    let count = random.below(12);
    let mut out = String::new();
    if random.chance(70) {
        out.push_str("{{ ");
    }
    for _ in 0..count {
        out.push_str(random.pick(NOISE));
        if random.chance(50) {
            out.push(' ');
        }
    }
    if random.chance(70) {
        out.push_str(" }}");
    }
    out
}

/// The template with something taken away, put in or doubled.
fn mutilated(random: &mut Random, whole: &str) -> String {
    let chars: Vec<char> = whole.chars().collect();
    let at = random.below(chars.len().saturating_add(1));
    let length = random.below(4);
    let mut out: String = chars.iter().take(at).collect();
    if random.chance(60) {
        out.push_str(random.pick(NOISE));
    }
    out.extend(chars.iter().skip(at.saturating_add(length)));
    out
}

fn formatting(random: &mut Random) -> String {
    const VERBS: &[&str] = &[
        "v", "v", "s", "d", "q", "x", "X", "o", "O", "b", "c", "U", "t", "e", "E", "f", "F", "g",
        "G", "T", "z", "%", "", "w", "é",
    ];
    const FLAGS: &[&str] = &[
        "", "", "", "", "-", "+", "#", " ", "0", "-0", "+0", "# ", "+#", "0 ",
    ];
    const WIDTHS: &[&str] = &["", "", "", "1", "3", "8", "12", "*"];
    const PRECISIONS: &[&str] = &["", "", "", ".", ".0", ".1", ".3", ".10", ".*"];
    const INDEXES: &[&str] = &[
        "", "", "", "", "", "", "", "[1]", "[2]", "[9]", "[x]", "[0]", "[",
    ];
    let mut format = String::new();
    let mut stars = 0usize;
    let count = random.below(3).saturating_add(1);
    for _ in 0..count {
        format.push_str(random.pick(&["", "a", "é ", ":"]));
        let width = random.pick(WIDTHS);
        let precision = random.pick(PRECISIONS);
        stars = stars
            .saturating_add(usize::from(width == "*"))
            .saturating_add(usize::from(precision == ".*"));
        format.push('%');
        format.push_str(random.pick(FLAGS));
        format.push_str(width);
        format.push_str(precision);
        format.push_str(random.pick(INDEXES));
        format.push_str(random.pick(VERBS));
    }
    let quoted: String = format!("\"{format}\"");
    let mut generator = Generator::new(random);
    let args = count
        .saturating_add(stars)
        .saturating_sub(usize::from(generator.random.chance(10)));
    let mut call = format!("printf {quoted}");
    for _ in 0..args {
        let want = match generator.random.below(8) {
            0..=2 => Int,
            3 | 4 => Float,
            5 => Text,
            _ => Any,
        };
        call.push(' ');
        // A session within something else prints as an address.
        let operand = generator.operand(want, 1);
        call.push_str(if matches!(operand.as_str(), "." | "$") {
            "1"
        } else {
            &operand
        });
    }
    format!("{{{{ {call} }}}}")
}

fn lonely_literal(random: &mut Random) -> String {
    let literal = match random.below(5) {
        0 => random.pick(INTS).to_owned(),
        1 => random.pick(FLOATS).to_owned(),
        2 => {
            let digits = random.pick(&[
                "0",
                "1",
                "9",
                "12",
                "0x",
                "0b",
                "0o",
                "00",
                "08",
                "_1",
                "1_",
                "123456789012345678",
                "0X1f",
            ]);
            let rest = random.pick(&[
                "", "1", "9", ".5", "e5", "e+5", "e-5", "E30", "p2", "i", "_2", "7890", "a",
                "e400", "e18", "e19",
            ]);
            format!("{}{digits}{rest}", random.pick(&["", "-", "+"]))
        }
        3 => {
            let escape = random.pick(&[
                "\\n",
                "\\x41",
                "\\u00e9",
                "\\U0001F600",
                "\\101",
                "\\'",
                "\\\"",
                "\\a",
                "\\z",
                "\\x4",
                "\\ud800",
                "\\777",
                "é",
                "\\0",
            ]);
            let quote = random.pick(&["\"", "'", "`"]);
            format!("{quote}{}{escape}{quote}", random.pick(&["", "", "a"]))
        }
        _ => random.pick(STRINGS).to_owned(),
    };
    let show = random.pick(&[
        "",
        " | printf \"%T %v\"",
        " | print",
        " | int",
        " | toJson",
        " | upper",
        " | float64",
        " | repeat 2",
        " | add 1",
        " | eq 1",
    ]);
    format!("{{{{ {literal}{show} }}}}")
}

impl Generator<'_> {
    pub(crate) fn new(random: &mut Random) -> Generator<'_> {
        let careless = if random.chance(20) { 25 } else { 3 };
        Generator {
            random,
            variables: Vec::new(),
            defined: Vec::new(),
            ranges: 0,
            serial: 0,
            careless,
        }
    }

    /// Method calls and fields of what is around the session.
    fn methods(&mut self) -> String {
        let key = self.random.pick(HEADERS);
        let quoted = format!("\"{key}\"");
        let name = self.random.pick(&[
            "\"x\"",
            "\"y\"",
            "\"nope\"",
            "\"empty\"",
            "1",
            "nil",
            ".Subject",
            "(print 1)",
        ]);
        let base = self.random.pick(&[
            ".Header",
            ".MatchContext.Header",
            "$.MatchContext.Header",
            "(.MatchContext).Header",
            ".Copy.Header",
        ]);
        let url = self.random.pick(&[
            ".MatchContext.URL",
            "$.MatchContext.URL",
            "(.MatchContext.URL)",
        ]);
        let expression = match self.random.below(22) {
            0 => format!("{base}.Get {quoted}"),
            1 => format!("{base}.Values {quoted}"),
            2 => format!("{base}.Get"),
            3 => format!("{base}.Get {name}"),
            4 => format!("index {base} {quoted} 0"),
            5 => format!("index {base} {quoted}"),
            6 => base.to_owned(),
            7 => format!(
                "{base}.{}",
                self.random
                    .pick(&["Accept", "Cookie", "Nope", "Get.x", "Accept.x"])
            ),
            8 => format!("{url}.Query.Get {name}"),
            9 => format!("({url}.Query.Get {name}) | upper"),
            10 => format!(
                "{url}.{}",
                self.random.pick(&[
                    "Path",
                    "Host",
                    "Scheme",
                    "RawQuery",
                    "String",
                    "Hostname",
                    "Port",
                    "EscapedPath",
                    "RequestURI",
                    "Query",
                    "Fragment",
                    "User",
                    "Nope",
                    "IsAbs",
                    "ForceQuery",
                    "Opaque",
                    "RawPath",
                    "Redacted",
                    "String.x",
                    "Path.x",
                    "User.Username",
                ])
            ),
            11 => format!(
                "{url} | {}",
                self.random.pick(&[
                    "print",
                    "toString",
                    "quote",
                    "typeOf",
                    "kindOf",
                    "toJson",
                    "printf \"%v\"",
                    "printf \"%s\"",
                    "html",
                    "len",
                    "upper"
                ])
            ),
            12 => format!(
                ".MatchContext.RegexpCaptureGroups | {}",
                self.random.pick(&[
                    "join \",\"",
                    "first",
                    "len",
                    "toJson",
                    "typeOf",
                    "sortAlpha",
                    "has \"a\""
                ])
            ),
            13 => format!(
                "printIndex .MatchContext.RegexpCaptureGroups {}",
                self.random.pick(&["0", "1", "2", "-1", "9"])
            ),
            14 => format!(
                ".MatchContext{}",
                self.random.pick(&[
                    "",
                    ".Method",
                    ".Nope",
                    " | toJson",
                    " | kindOf",
                    " | typeOf",
                    ".Method.x",
                    " | len",
                    " | print",
                    ".Header | toJson"
                ])
            ),
            15 => format!(
                ".{}",
                self.random.pick(&[
                    "Copy.Subject",
                    "Copy.Extra.email",
                    "SetHeader \"a\" \"b\"",
                    "Copy 1",
                    "Nope",
                    "Subject.x",
                    "Header.Get \"a\" \"b\"",
                    "Copy.Copy.Subject"
                ])
            ),
            16 => format!(
                "{}{}",
                self.random.pick(&[".", "$"]),
                self.random.pick(&[
                    "",
                    " | toJson",
                    " | kindOf",
                    " | typeOf",
                    " | print",
                    " | toPrettyJson",
                    " | printf \"%v\"",
                    " | toString",
                    " | quote",
                    " | len"
                ])
            ),
            17 => format!("len {base}"),
            18 => format!(
                "{url}.Query | {}",
                self.random
                    .pick(&["len", "toJson", "print", "typeOf", "kindOf", "keys", "not"])
            ),
            19 => format!(
                "{url}.Query.{}",
                self.random.pick(&[
                    "x",
                    "nope",
                    "Has \"x\"",
                    "Has \"nope\"",
                    "Get \"x\" | print",
                    "x | join \",\""
                ])
            ),
            20 => format!("{quoted} | {base}.Get"),
            _ => format!(
                "{base} | {}",
                self.random.pick(&[
                    "toJson",
                    "keys",
                    "print",
                    "len",
                    "kindOf",
                    "typeOf",
                    "first",
                    "not",
                    "dig \"a\" \"b\""
                ])
            ),
        };
        if self.random.chance(15) {
            return format!(
                "{{{{ range $k, $v := {base} }}}}{{{{ $k }}}}={{{{ $v }}}};{{{{ . }}}}{{{{ else }}}}none{{{{ end }}}}"
            );
        }
        if self.random.chance(10) {
            return format!(
                "{{{{ with {expression} }}}}[{{{{ . }}}}]{{{{ else }}}}no{{{{ end }}}}"
            );
        }
        format!("{{{{ {expression} }}}}")
    }

    fn fresh(&mut self) -> String {
        self.serial = self.serial.saturating_add(1);
        format!(
            "${}{}",
            self.random.pick(&["v", "x", "é", "_"]),
            self.serial
        )
    }

    fn left(&mut self) -> &'static str {
        self.random.pick(&["{{ ", "{{", "{{ ", "{{- ", "{{ "])
    }

    fn right(&mut self) -> &'static str {
        self.random.pick(&[" }}", "}}", " }}", " -}}", " }}"])
    }

    fn action(&mut self, inner: &str) -> String {
        format!("{}{inner}{}", self.left(), self.right())
    }

    pub(crate) fn body(&mut self, depth: usize) -> String {
        let scope = self.variables.len();
        let mut out = String::new();
        let count = self.random.below(4).saturating_add(1);
        for _ in 0..count {
            let text = self.random.pick(SPACE);
            out.push_str(text);
            out.push_str(&self.node(depth));
        }
        out.push_str(self.random.pick(SPACE));
        self.variables.truncate(scope);
        out
    }

    fn node(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        let choice = if depth == 0 {
            self.random.below(8)
        } else {
            self.random.below(22)
        };
        match choice {
            0..=4 => {
                let inner = self.pipeline(Any, 2);
                self.action(&inner)
            }
            5 => {
                let want = self.any_want();
                let inner = self.pipeline(want, 2);
                let name = self.fresh();
                self.variables.push((name.clone(), want));
                self.action(&format!("{name} := {inner}"))
            }
            6 => {
                let Some((name, want)) = self.variable(None) else {
                    return "none".to_owned();
                };
                let inner = self.pipeline(want, 2);
                self.action(&format!("{name} = {inner}"))
            }
            7 => self
                .random
                .pick(&[
                    "{{/* c */}}",
                    "{{- /* c */ -}}",
                    " {{- /* a\nb */ -}} ",
                    "{{/**/}}",
                ])
                .to_owned(),
            8..=10 => {
                let condition = self.condition();
                let mut out = self.action(&format!("if {condition}"));
                out.push_str(&self.body(below));
                if self.random.chance(30) {
                    let condition = self.condition();
                    out.push_str(&self.action(&format!("else if {condition}")));
                    out.push_str(&self.body(below));
                }
                self.otherwise(&mut out, below);
                out
            }
            11 | 12 => {
                let scope = self.variables.len();
                let want = self.any_want();
                let mut inner = self.pipeline(want, 2);
                if self.random.chance(30) {
                    let name = self.fresh();
                    self.variables.push((name.clone(), want));
                    inner = format!("{name} := {inner}");
                }
                let mut out = self.action(&format!("with {inner}"));
                out.push_str(&self.dotted(below));
                if self.random.chance(20) {
                    let inner = self.pipeline(Any, 1);
                    out.push_str(&self.action(&format!("else with {inner}")));
                    out.push_str(&self.dotted(below));
                }
                self.otherwise(&mut out, below);
                self.variables.truncate(scope);
                out
            }
            13..=15 => self.range(below),
            16 => {
                let name = format!("t{}", self.defined.len());
                let outer = std::mem::take(&mut self.variables);
                let ranges = std::mem::take(&mut self.ranges);
                let body = self.body(below);
                self.variables = outer;
                self.ranges = ranges;
                let block = self.random.chance(40);
                let dot = self.pipeline(Any, 1);
                let head = if block {
                    format!("block \"{name}\" {dot}")
                } else {
                    format!("template \"{name}\" {dot}")
                };
                let head = self.action(&head);
                self.defined.push(name.clone());
                // A definition can only stand at the top; mostly it does not, which is an error.
                if block {
                    format!("{head}{body}{{{{ end }}}}")
                } else if self.random.chance(5) {
                    format!("{{{{ define \"{name}\" }}}}{body}{{{{ end }}}}{head}")
                } else {
                    format!("{{{{ block \"{name}\" . }}}}{body}{{{{ end }}}}{head}")
                }
            }
            17 if self.ranges > 0 => {
                let word = self.random.pick(&["break", "continue"]);
                let condition = self.condition();
                format!("{{{{ if {condition} }}}}{{{{ {word} }}}}{{{{ end }}}}")
            }
            18 => {
                let name = self.fresh();
                let (first, second) = (self.pipeline(Any, 1), self.pipeline(Any, 1));
                format!(
                    "{{{{ {name} := {first} }}}}{{{{ if {name} }}}}{{{{ {name} = {second} }}}}{{{{ end }}}}{{{{ {name} }}}}"
                )
            }
            19 => {
                let inner = self.operand(Any, 1);
                format!(
                    "{{{{ define \"d\" }}}}<{{{{ . }}}}>{{{{ end }}}}{{{{ template \"d\" {inner} }}}}"
                )
            }
            _ => {
                let inner = self.pipeline(Text, 3);
                self.action(&inner)
            }
        }
    }

    /// A body that looks at the dot.
    fn dotted(&mut self, depth: usize) -> String {
        let look = self.random.pick(&[
            "{{ . }}",
            "{{ .x }}",
            "{{ .email }}",
            "{{ . | print }}",
            "{{ . | toJson }}",
            "{{ . | upper }}",
            "{{ typeOf . }}",
            "{{ len . }}",
            "",
            "{{ .traits.email }}",
        ]);
        format!("{look}{}", self.body(depth))
    }

    fn otherwise(&mut self, out: &mut String, depth: usize) {
        if self.random.chance(40) {
            out.push_str(&self.action("else"));
            out.push_str(&self.body(depth));
        }
        out.push_str(&self.action("end"));
    }

    fn range(&mut self, depth: usize) -> String {
        let scope = self.variables.len();
        let want = if self.random.chance(70) {
            List
        } else {
            self.any_want()
        };
        let over = self.pipeline(want, 1);
        let head = match self.random.below(5) {
            0 | 1 => over,
            2 => {
                let one = self.fresh();
                self.variables.push((one.clone(), Any));
                format!("{one} := {over}")
            }
            3 => {
                let (one, two) = (self.fresh(), self.fresh());
                self.variables.push((one.clone(), Any));
                self.variables.push((two.clone(), Any));
                format!("{one}, {two} := {over}")
            }
            _ => match self.variable(None) {
                Some((name, _)) => format!("{name} = {over}"),
                None => over,
            },
        };
        let mut out = self.action(&format!("range {head}"));
        self.ranges = self.ranges.saturating_add(1);
        out.push_str(&self.dotted(depth));
        self.ranges = self.ranges.saturating_sub(1);
        self.otherwise(&mut out, depth);
        self.variables.truncate(scope);
        out
    }

    fn condition(&mut self) -> String {
        let want = if self.random.chance(60) { Bool } else { Any };
        self.pipeline(want, 2)
    }

    fn any_want(&mut self) -> Want {
        [Any, Text, Int, Float, Bool, List, Map, Own, Text, List]
            .get(self.random.below(10))
            .copied()
            .unwrap_or(Any)
    }

    fn variable(&mut self, want: Option<Want>) -> Option<(String, Want)> {
        let fitting: Vec<_> = self
            .variables
            .iter()
            .filter(|(_, held)| want.is_none_or(|want| want == *held))
            .cloned()
            .collect();
        fitting.get(self.random.below(fitting.len())).cloned()
    }

    fn signature(&mut self, want: Want) -> Option<&'static Signature> {
        let fitting: Vec<_> = FUNCTIONS
            .iter()
            .filter(|(_, _, _, gives)| {
                want == Any || *gives == want || (want == Map && *gives == Own)
            })
            .collect();
        fitting.get(self.random.below(fitting.len())).copied()
    }

    /// Something that gives what is wanted, sometimes written as a pipeline.
    fn pipeline(&mut self, want: Want, depth: usize) -> String {
        if depth == 0 || self.random.chance(25) {
            return self.operand(want, 0);
        }
        self.call(want, depth)
    }

    fn call(&mut self, want: Want, depth: usize) -> String {
        let Some((name, params, rest, _)) = self.signature(want) else {
            return self.operand(want, 0);
        };
        let below = depth.saturating_sub(1);
        let mut wants = params.to_vec();
        if let Some(rest) = rest {
            let more = self.random.below(3);
            wants.extend(std::iter::repeat_n(*rest, more));
        }
        // `set` and `merge` of a map into itself would make a ring, on which Go's printing dies.
        let mut args: Vec<String> = wants
            .iter()
            .map(|want| {
                let want = match want {
                    Own | Map
                        if matches!(
                            *name,
                            "merge"
                                | "mergeOverwrite"
                                | "mustMerge"
                                | "mustMergeOverwrite"
                                | "set"
                                | "unset"
                        ) =>
                    {
                        return self.plain_map(*want);
                    }
                    Text if *name == "set" => return self.random.pick(STRINGS).to_owned(),
                    want if self.random.chance(self.careless) => {
                        if *want == Any {
                            Any
                        } else {
                            self.any_want()
                        }
                    }
                    want => *want,
                };
                self.operand(want, below)
            })
            .collect();
        if CONTAINERS.contains(name) {
            // A session within something else prints as an address.
            for arg in &mut args {
                if matches!(arg.as_str(), "." | "$") {
                    *arg = ".Subject".to_owned();
                }
            }
        }
        if self.random.chance(1) {
            args.pop();
        }
        if !args.is_empty() && self.random.chance(45) {
            let last = args.pop().unwrap_or_default();
            let first = last
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')'))
                .filter(|inner| !inner.contains(['(', ')']))
                .unwrap_or(&last)
                .to_owned();
            let given: String = args.iter().map(|arg| format!(" {arg}")).collect();
            let glue = self
                .random
                .pick(&[" | ", " | ", " | ", "|", "\n  | ", " |\n"]);
            return format!("{first}{glue}{name}{given}");
        }
        let given: String = args.iter().map(|arg| format!(" {arg}")).collect();
        format!("{name}{given}")
    }

    fn plain_map(&mut self, want: Want) -> String {
        if want == Map && self.random.chance(60) {
            return self.field(Map);
        }
        let key = self.random.pick(KEYS);
        let value = self.random.pick(&[
            "1",
            "\"v\"",
            "true",
            "(list 1 2)",
            "(dict \"in\" 1)",
            ".Extra.traits",
            ".Extra.nothing",
            ".Extra.identity",
            "\"\"",
            "0",
        ]);
        match self.random.below(4) {
            0 => "dict".to_owned(),
            1 => format!("(dict \"{key}\" {value} \"email\" 1)"),
            2 => "(deepCopy .Extra)".to_owned(),
            _ => format!("(dict \"{key}\" {value})"),
        }
    }

    fn key(&mut self) -> &'static str {
        loop {
            let key = self.random.pick(KEYS);
            if key != "with-dash" {
                return key;
            }
        }
    }

    fn field(&mut self, want: Want) -> String {
        let start = self
            .random
            .pick(&[".Extra", ".Extra", "$.Extra", "(.Extra)", ".Extra"]);
        match want {
            Text if self.random.chance(40) => self
                .random
                .pick(&[
                    ".Subject",
                    "$.Subject",
                    ".MatchContext.Method",
                    ".MatchContext.URL.Path",
                ])
                .to_owned(),
            Text => format!(
                "{start}.{}",
                self.random
                    .pick(&["email", "name", "identity.traits.email", "nothing"])
            ),
            Int | Float => format!("{start}.{}", self.random.pick(&["age", "score", "zero"])),
            Bool => format!("{start}.{}", self.random.pick(&["admin", "nothing"])),
            List => self
                .random
                .pick(&[
                    ".Extra.roles",
                    ".Extra.groups",
                    ".MatchContext.RegexpCaptureGroups",
                    ".Extra.ids",
                    "$.Extra.tags",
                ])
                .to_owned(),
            Map | Own => self
                .random
                .pick(&[
                    ".Extra",
                    ".Extra.identity",
                    ".Extra.traits",
                    "$.Extra",
                    ".Extra.nested",
                ])
                .to_owned(),
            Any => {
                let mut out = format!("{start}.{}", self.key());
                while self.random.chance(25) {
                    out.push('.');
                    out.push_str(self.key());
                }
                out
            }
        }
    }

    fn literal(&mut self, want: Want) -> String {
        match want {
            Text => {
                if self.random.chance(40) {
                    let text = self.random.pick(TEXTS);
                    return if text.contains(['"', '\\', '\n']) {
                        format!("`{text}`")
                    } else {
                        format!("\"{text}\"")
                    };
                }
                self.random.pick(STRINGS).to_owned()
            }
            Int => self.random.pick(INTS).to_owned(),
            Float => self.random.pick(FLOATS).to_owned(),
            Bool => self.random.pick(&["true", "false"]).to_owned(),
            List => self
                .random
                .pick(&[
                    "(list 1 2 3)",
                    "(list \"b\" \"a\" \"b\")",
                    "(list)",
                    "(until 3)",
                    "(splitList \",\" \"a,b\")",
                    "(list nil 0 \"\")",
                    "(list 1.5 \"x\" true)",
                ])
                .to_owned(),
            Map | Own => self
                .random
                .pick(&[
                    "(dict \"a\" 1)",
                    "(dict)",
                    "(dict \"email\" \"e\" \"n\" nil)",
                    "dict",
                ])
                .to_owned(),
            Any => self
                .random
                .pick(&[
                    "nil",
                    "true",
                    "1",
                    "1.5",
                    "\"s\"",
                    ".",
                    "$",
                    "(nil)",
                    "dict",
                    "list",
                    "'x'",
                    "(list nil)",
                ])
                .to_owned(),
        }
    }

    /// One operand: parenthesized if it is more.
    fn operand(&mut self, want: Want, depth: usize) -> String {
        match self.random.below(10) {
            0..=2 => {
                if want == Any && self.random.chance(80) {
                    let want = self.any_want();
                    return self.literal(want);
                }
                self.literal(want)
            }
            3..=5 => self.field(want),
            6 | 7 => {
                let wanted = if want == Any { None } else { Some(want) };
                match self.variable(wanted) {
                    Some((name, _)) if self.random.chance(80) => name,
                    Some((name, Map | Own | Any)) => format!("{name}.{}", self.key()),
                    Some((name, _)) => name,
                    None => self.field(want),
                }
            }
            _ if depth > 0 => {
                let inner = self.call(want, depth);
                if inner.starts_with("split") {
                    return format!(
                        "({inner}).{}",
                        self.random.pick(&["_0", "_1", "_9", "x", "_0.x"])
                    );
                }
                if want == Any && self.random.chance(8) {
                    return format!("({inner}).{}", self.key());
                }
                if want == Map && self.random.chance(20) {
                    format!("({inner}).email")
                } else {
                    format!("({inner})")
                }
            }
            _ => self.literal(want),
        }
    }
}
