//! What is missing, refused, bounded and known before running.

mod session;

use edgekeeper_template::{Missing, Object, Output, Style, Template, Value};
use serde_json::json;
use session::Session;

fn try_render(text: &str, missing: Missing) -> Result<String, String> {
    let session = Session::new(Some(json!({
        "email": "a@b.test", "n": 1, "nul": null, "list": ["x"], "big": 12345678901u64
    })));
    let template = Template::parse("r:X", text).map_err(|e| e.to_string())?;
    let style = Style {
        missing,
        output: Output::Text,
    };
    template
        .render(&Value::Object(&session), style)
        .map_err(|e| e.to_string())
}

#[test]
fn missing_values_are_empty_at_any_depth() {
    let cases = [
        ("[{{ .Extra.a.b.c }}]", "[]"),
        ("[{{ .Extra.nul }}]", "[]"),
        ("[{{ .Extra.email.x.y }}]", "[]"),
        ("[{{ index .Extra \"a\" \"b\" }}]", "[]"),
        ("[{{ index .Extra.list 9 }}]", "[]"),
        ("[{{ .Extra.a | upper }}]", "[]"),
        ("[{{ upper .Extra.a.b }}]", "[]"),
        ("[{{ .Extra.a | trunc 3 }}]", "[]"),
        ("[{{ .Extra.a | join \",\" }}]", "[]"),
        ("[{{ .Extra.a | toString }}]", "[]"),
        (
            "[{{ printf \"%s-%v-%d\" .Extra.a .Extra.a .Extra.a }}]",
            "[--]",
        ),
        ("[{{ len .Extra.a }}]", "[0]"),
        ("[{{ first .Extra.a }}]", "[]"),
        ("[{{ append .Extra.a 1 }}]", "[[1]]"),
        ("[{{ hasKey .Extra.a \"x\" }}]", "[false]"),
        ("[{{ get .Extra.a \"x\" }}]", "[]"),
        ("[{{ dig \"a\" \"b\" \"d\" .Extra }}]", "[d]"),
        ("[{{ dig \"nul\" \"b\" \"d\" .Extra }}]", "[d]"),
        (
            "[{{ eq .Extra.a \"\" }}{{ eq .Extra.a \"x\" }}]",
            "[truefalse]",
        ),
        ("[{{ range .Extra.a.b }}x{{ else }}none{{ end }}]", "[none]"),
        ("[{{ with .Extra.a.b }}x{{ else }}none{{ end }}]", "[none]"),
        ("[{{ .Extra.a | toJson }}]", "[null]"),
        ("[{{ add .Extra.a 1 }}]", "[1]"),
    ];
    for (text, want) in cases {
        assert_eq!(
            try_render(text, Missing::Empty).as_deref(),
            Ok(want),
            "{text}"
        );
    }
}

#[test]
fn a_field_the_session_does_not_have_is_always_an_error() {
    for missing in [Missing::Go, Missing::Empty] {
        for text in [
            "{{ .NoSuch }}",
            "{{ with .Extra }}{{ $.NoSuch.x }}{{ end }}",
        ] {
            let error = try_render(text, missing).unwrap_err();
            let want = "can't evaluate field NoSuch in type *authn.AuthenticationSession";
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}

#[test]
fn a_nil_map_prints_as_go_prints_it() {
    let session = Session::new(None);
    let cases = [
        ("{{ .Extra }}", "map[]"),
        ("{{ .Extra | toJson }}", "null"),
        ("{{ .Extra.email }}", "<no value>"),
        ("{{ print .Extra.email }}", ""),
        ("{{ range .Extra.roles }}x{{ end }}", ""),
        ("{{ .Greet }}", "hello"),
    ];
    for (text, want) in cases {
        let template = Template::parse("r:X", text).unwrap();
        let style = Style {
            missing: Missing::Go,
            output: Output::Text,
        };
        assert_eq!(
            template.render(&Value::Object(&session), style).unwrap(),
            want,
            "{text}"
        );
    }
}

/// An object that says nothing of its methods' arguments before they are called.
struct Clock;

impl Object for Clock {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        (name == "Zone").then(|| Value::from("UTC"))
    }

    fn call(&self, method: &str, args: &[Value<'_>]) -> Option<Result<Value<'_>, String>> {
        match (method, args) {
            ("At", [Value::Str(place)]) => Some(Ok(Value::from(format!("noon in {place}")))),
            ("Now", []) => Some(Ok(Value::from("noon"))),
            _ => None,
        }
    }

    fn type_name(&self) -> &'static str {
        "*test.Clock"
    }
}

/// A header map without a header.
struct NoHeaders;

impl Object for NoHeaders {
    fn field(&self, _: &str) -> Option<Value<'_>> {
        None
    }

    fn type_name(&self) -> &'static str {
        "http.Header"
    }

    fn content(&self) -> Option<Value<'_>> {
        Some(Value::NilMap)
    }

    fn is_map(&self) -> bool {
        true
    }
}

#[test]
fn a_header_that_is_not_there_is_empty_or_as_in_go_an_empty_list() {
    let template = Template::parse("r:X", r#"{{ .Nope }}|{{ index . "Nope" }}"#).unwrap();
    for (missing, want) in [(Missing::Empty, "|"), (Missing::Go, "[]|[]")] {
        let style = Style {
            missing,
            output: Output::Text,
        };
        let output = template.render(&Value::Object(&NoHeaders), style);
        assert_eq!(output.as_deref(), Ok(want));
    }
}

#[test]
fn methods_are_called_with_their_arguments() {
    let cases = [
        (
            r#"{{ .At "Brno" }}|{{ "Oslo" | .At }}|{{ .Now }}"#,
            "noon in Brno|noon in Oslo|noon",
        ),
        (
            r#"{{ .Now 1 }}"#,
            "wrong number of args for Now: want 0 got 1",
        ),
        (
            r#"{{ .Zone 1 }}"#,
            "Zone has arguments but cannot be invoked as function",
        ),
        (
            r#"{{ .Soon }}"#,
            "can't evaluate field Soon in type *test.Clock",
        ),
    ];
    for (text, want) in cases {
        let template = Template::parse("r:X", text).unwrap();
        let ended = match template.render(&Value::Object(&Clock), Style::default()) {
            Ok(output) => output,
            Err(error) => error.to_string(),
        };
        assert!(ended.ends_with(want), "{text}: {ended}");
    }
}

#[test]
fn impure_functions_are_refused_by_name_when_parsed() {
    let cases = [
        ("env \"HOME\"", "environment"),
        ("expandenv \"$HOME\"", "environment"),
        ("now", "clock"),
        ("date \"2006\" 0", "clock"),
        ("uuidv4", "randomness"),
        ("randAlpha 5", "randomness"),
        ("genPrivateKey \"rsa\"", "keys"),
        ("getHostByName \"x\"", "network"),
        ("regexMatch \"a\" \"b\"", "regular expressions"),
        ("mustRegexFind \"a\" \"b\"", "regular expressions"),
        ("bcrypt \"x\"", "hashes"),
        ("call .Subject", "not available"),
    ];
    for (call, reason) in cases {
        let error = Template::parse("r:X", &format!("{{{{ {call} }}}}")).unwrap_err();
        let name = call.split(' ').next().unwrap();
        assert!(
            error.message.contains(name) && error.message.contains(reason),
            "{error}"
        );
    }
}

#[test]
fn parse_errors_say_where_and_what_else() {
    let cases = [
        ("a\n  {{ uppercase .Subject }}", 2, 6, "did you mean"),
        ("{{ uper .Subject }}", 1, 4, "upper"),
        ("{{ tojson . }}", 1, 4, "toJson"),
        ("é{{ Subject }}", 1, 5, "put a dot before"),
        ("{{ $x }}", 1, 4, "known here: $"),
        ("{{ if .Subject }}", 1, 18, "{{ end }} is missing"),
        ("{{ upper }}", 1, 4, "want 1 got 0"),
        ("{{ template \"x\" }}", 1, 13, "define"),
        ("{{ .a-b }}", 1, 6, "index"),
        ("{{ end }}", 1, 4, "no open"),
    ];
    for (text, line, column, advice) in cases {
        let error = Template::parse("r:X", text).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert!(error.message.contains(advice), "{text}: {error}");
    }
}

#[test]
fn no_template_runs_away() {
    let deep_if = format!("{}x{}", "{{ if 1 }}".repeat(60), "{{ end }}".repeat(60));
    let deep_parens = format!("{{{{ {}1{} }}}}", "(".repeat(60), ")".repeat(60));
    let else_chain = format!(
        "{{{{ if 0 }}}}{}{{{{ end }}}}",
        "{{ else if 0 }}x".repeat(3000)
    );
    let long = "x".repeat(70_000);
    let nested = format!(
        "{{{{ $x := \"\" }}}}{}{{{{ len $x }}}}",
        "{{ $x = print $x $x }}".repeat(3)
    );
    let lists = "{{ $l := list }}{{ range until 1000 }}{{ $l = list $l }}{{ end }}{{ $l }}";
    let cases: &[&str] = &[
        &deep_if,
        &deep_parens,
        &else_chain,
        &long,
        &nested,
        lists,
        "{{ repeat 1000000000 \"x\" }}",
        "{{ repeat 9223372036854775807 \"xx\" }}",
        "{{ indent 1000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ untilStep 0 9223372036854775807 1 }}",
        "{{ range 1000000000 }}x{{ end }}",
        "{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}",
        "{{ range until 10000 }}xxxxxxxxxx{{ end }}",
        "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
        "{{ $s := repeat 1000 \"x\" }}{{ range until 20 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}",
        "{{ $l := list 1 }}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d | toJson }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}",
        "{{ $d := dict }}{{ range until 5000 }}{{ $d = dict \"d\" $d }}{{ end }}{{ $d }}",
        "{{ $d := dict }}{{ range until 60 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}{{ $d }}",
        "{{ printf \"%999999999d\" 1 }}",
        "{{ printf \"%.999999999f\" 1.0 }}",
        "{{ replace \"x\" (repeat 60000 \"y\") (repeat 60000 \"x\") }}",
        "{{ 5 | div 0 | add }}{{ div 1 0 }}",
        "{{ set .Extra \"x\" 1 }}",
    ];
    for text in cases {
        let start: String = text.chars().take(80).collect();
        let outcome = try_render(text, Missing::Empty);
        assert!(outcome.is_err(), "{start} was let through");
    }
}

#[test]
fn each_limit_says_which_it_is() {
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(60), ")".repeat(60));
    let blocks = format!("{}x{}", "{{ if 1 }}".repeat(60), "{{ end }}".repeat(60));
    let loops = "{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}";
    let long = format!("{{{{/*{}*/}}}}", "x".repeat(70_000));
    let cases: &[(&str, &str)] = &[
        (loops, "the template needs more than 200000 steps"),
        ("{{ range 1000000000 }}{{ end }}", "more than 200000 steps"),
        (
            "{{ range until 10000 }}xxxxxxxxxx{{ end }}",
            "the output is longer than 65536 bytes",
        ),
        (
            "{{ until 1000000000 }}",
            "the list has more than 10000 items",
        ),
        (
            "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
            "at <{{template \"r\" .}}>: exceeded maximum template depth (120)",
        ),
        (&deep, "max expression depth exceeded: at most 50"),
        (&blocks, "max expression depth exceeded: at most 50"),
        (&long, "the template is longer than 65536 bytes"),
    ];
    for missing in [Missing::Go, Missing::Empty] {
        for (text, want) in cases {
            let error = try_render(text, missing).unwrap_err();
            let start: String = text.chars().take(80).collect();
            assert!(error.contains(want), "{start}: {error}");
        }
    }
}

#[test]
fn a_long_chain_of_maps_is_freed_without_recursion() {
    let text = "{{ $d := dict }}{{ range until 9000 }}{{ $d = dict \"d\" $d }}{{ end }}done";
    assert_eq!(try_render(text, Missing::Empty).as_deref(), Ok("done"));
}

#[test]
fn paths_are_known_before_running() {
    let cases: &[(&str, &[&str])] = &[
        (
            "{{ .Extra.identity.traits.email }}",
            &["Extra.identity.traits.email"],
        ),
        (
            "{{ print .IDToken }} {{ $.Subject }}",
            &["IDToken", "Subject"],
        ),
        (
            "{{ with .Extra }}{{ .email }}{{ end }}",
            &["Extra", "Extra.email"],
        ),
        ("{{ index .Extra \"a\" \"b\" }}", &["Extra", "Extra.a.b"]),
        (
            "{{ (index .Extra \"a\").b }}",
            &["Extra", "Extra.a", "Extra.a.b"],
        ),
        ("{{ $e := .Extra.x }}{{ $e.y }}", &["Extra.x", "Extra.x.y"]),
        (
            "{{ range .Extra.l }}{{ .z }}{{ $.Subject }}{{ end }}",
            &["Extra.l", "Subject"],
        ),
        (
            "{{ define \"t\" }}{{ .a }}{{ end }}{{ template \"t\" .Extra }}",
            &["Extra", "Extra.a"],
        ),
        (
            "{{ define \"t\" }}{{ template \"t\" .a }}{{ end }}{{ template \"t\" .Extra }}",
            &["Extra", "Extra.a"],
        ),
        (
            "{{ if .A }}{{ .B }}{{ else if .C }}{{ .D }}{{ end }}",
            &["A", "B", "C", "D"],
        ),
        (
            "{{ upper (lower .Subject) | printf \"%s%s\" .Extra.a }}",
            &["Extra.a", "Subject"],
        ),
        (
            "{{ .MatchContext.Header.Get \"X\" }}",
            &["MatchContext.Header.Get"],
        ),
        ("plain {{ \"x\" }} {{ . }}", &[]),
    ];
    for (text, want) in cases {
        let paths = Template::parse("r:X", text).unwrap().paths();
        let paths: Vec<_> = paths.iter().map(|path| path.join(".")).collect();
        for path in *want {
            assert!(
                paths.iter().any(|found| found == path),
                "{text}: {path} not in {paths:?}"
            );
        }
        assert!(
            paths
                .iter()
                .all(|p| want.contains(&p.as_str()) || p.starts_with("Extra.a.a")),
            "{text}: {paths:?}"
        );
    }
}

/// Small, fixed, and enough to reach odd corners: an xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.checked_rem(limit as u64).unwrap_or(0)).unwrap_or(0)
    }
}

#[test]
fn arbitrary_text_never_panics() {
    let pieces = [
        "{{",
        "}}",
        "{{-",
        " -}}",
        " ",
        ".",
        ".Extra",
        ".Subject",
        "$x",
        "$",
        ":=",
        "=",
        "|",
        "(",
        ")",
        ",",
        "\"",
        "\"a\"",
        "`",
        "'",
        "'a'",
        "1",
        "-1",
        "1.5",
        "0x",
        "9223372036854775807",
        "nil",
        "true",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "\"t\"",
        "/*",
        "*/",
        "\\",
        "é",
        "😀",
        "\u{0}",
        "\n",
        "upper",
        "printf",
        "\"%5.2f%d%s%q%v%x\"",
        "toJson",
        "index",
        "dict",
        "set",
        "list",
        "substr",
        "trunc",
        "slice",
        "split",
        "add",
        "div",
        "round",
        "repeat",
        "print",
        "dig",
        "merge",
        "\"é\"",
        "and",
        "chunk",
        "abbrev",
        "camelcase",
        "snakecase",
        "fromJson",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut rendered = 0;
    for round in 0..20_000 {
        let mut text = String::new();
        let open = round % 2 == 0;
        if open {
            text.push_str("{{ ");
        }
        for _ in 0..random.below(12) {
            text.push_str(pieces[random.below(pieces.len())]);
            if random.below(2) == 0 {
                text.push(' ');
            }
        }
        if open {
            text.push_str(" }}");
        }
        for missing in [Missing::Go, Missing::Empty] {
            rendered += usize::from(try_render(&text, missing).is_ok());
        }
    }
    assert!(
        rendered > 1000,
        "the generator reaches too little: {rendered}"
    );
}

#[test]
fn every_function_survives_every_kind_of_argument() {
    let functions = "and or not len index print printIndex printf println html js urlquery eq ne lt le gt ge default empty \
        coalesce all any ternary fail typeOf typeIs typeIsLike kindOf kindIs deepEqual dict get hasKey set unset pluck keys \
        values pick omit merge mergeOverwrite deepCopy dig toJson toPrettyJson toRawJson fromJson mustFromJson b64enc b64dec \
        sha256sum list first last rest initial append prepend concat reverse uniq compact without has slice chunk sortAlpha \
        toStrings until untilStep seq int int64 float64 atoi toDecimal add1 add sub mul div mod max min maxf minf ceil floor \
        round upper lower title untitle swapcase initials snakecase kebabcase camelcase trim nospace contains hasPrefix \
        hasSuffix trimAll trimPrefix trimSuffix repeat substr trunc abbrev indent nindent replace plural quote squote cat \
        toString join splitList split splitn";
    let values = [
        "\"\"",
        "\"žlu\"",
        "0",
        "-1",
        "3",
        "-9223372036854775808",
        "9223372036854775807",
        "1.5",
        "1e300",
        "true",
        ".Extra",
        ".Extra.list",
        ".Extra.missing",
        ".Extra.nul",
        "(dict \"a\" 1)",
        "(list)",
        "(list 1 \"a\")",
        "(split \",\" \"a,b\")",
        ".",
    ];
    let mut random = Random(42);
    let mut rendered = 0;
    for function in functions.split_whitespace() {
        for _ in 0..150 {
            let mut text = format!("{{{{ {function}");
            for _ in 0..random.below(5) {
                text.push(' ');
                text.push_str(values[random.below(values.len())]);
            }
            text.push_str(" }}");
            rendered += usize::from(try_render(&text, Missing::Empty).is_ok());
        }
        assert!(
            !matches!(Template::parse("r:X", &format!("{{{{ {function} 1 2 3 }}}}")), Err(e) if e.go.contains("not defined")),
            "{function} is promised"
        );
    }
    assert!(
        rendered > 1000,
        "the generator reaches too little: {rendered}"
    );
}
