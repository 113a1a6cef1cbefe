//! What is refused, where, and that it says what to do.

use super::super::compile;

#[test]
fn refuses_with_place_and_remedy() {
    for (pattern, offset, part) in [
        ("http://h/<bad", 9, "never closed"),
        ("http://h/<a<b>", 9, "never closed"),
        ("http://h/a>b", 10, "without a `<`"),
        ("ž<", 2, "never closed"),
        ("h/<(>", 3, "`(` is never closed"),
        ("h/<a(b>c)", 4, "`(` is never closed"),
        ("h/<)>", 3, "without a `(`"),
        ("h/<a)(b>", 4, "without a `(`"),
        ("h/<[>", 3, "`[` is never closed"),
        ("h/<[]>", 3, "`[` is never closed"),
        ("h/<[z-a]>", 6, "reversed"),
        ("h/<[a-\\d]>", 6, "range"),
        ("h/<[[:nope:]]>", 4, "alnum"),
        ("h/<[a-z-[b]c]>", 11, "last"),
        ("h/<*>", 3, "nothing to repeat"),
        ("h/<a|+>", 5, "nothing to repeat"),
        ("h/<(?i)?>", 7, "nothing to repeat"),
        ("h/<{2}>", 3, "nothing to repeat"),
        ("h/<a**>", 5, "cannot be repeated"),
        ("h/<a++>", 5, "(?>a+)"),
        ("h/<a{3,2}>", 4, "{min,max}"),
        ("h/<\\>", 3, "backslash"),
        ("h/<\\y>", 3, "\\y is not a known escape"),
        ("h/<\\x4>", 3, "\\x2F"),
        ("h/<\\x{110000}>", 3, "\\x2F"),
        ("h/<\\x{2F>", 3, "never closed"),
        ("h/<\\ud800>", 3, "\\x2F"),
        ("h/<\\p{Nope}>", 3, "Nope"),
        ("h/<\\p{L>", 3, "never closed"),
        ("h/<\\p>", 3, "Unicode"),
        ("h/<\\3>", 3, "no such group"),
        ("h/<\\k<n>>", 3, "no such group"),
        ("h/<\\k>", 3, "\\k<name>"),
        ("h/<(?<n>>", 3, "never closed"),
        ("h/<(?<1>a)>", 3, "must not start with a digit"),
        ("h/<(?<>a)>", 3, "group name"),
        ("h/<(?P=n)>", 3, "unknown kind of group"),
        ("h/<(?z)>", 3, "unknown kind of group"),
        ("h/<(?#>", 3, "never closed"),
        ("h/<(a)(?(1)b|c)>", 6, "conditions"),
        ("h/<(?<a>x)(?<b-a>y)>", 10, "balancing"),
        ("h/<\\Ga>", 3, "\\G"),
    ] {
        let error = compile(pattern).expect_err(pattern);
        assert!(error.message.contains(part), "{pattern}: {error}");
        assert_eq!(error.offset, offset, "{pattern}: {error}");
    }
}

#[test]
fn brackets_inside_belong_to_the_expression() {
    for pattern in [
        "<<.*>>",
        "<(?<n>a)>",
        "<(?<!x)y>",
        "<(?<=x)y>",
        "<a\\x3Cb>",
        "<a\\x3Eb>",
    ] {
        compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    }
}
