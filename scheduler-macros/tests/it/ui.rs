//! Each mistake that an annotation can have, with what the compiler says of it.

#[test]
fn every_mistake_is_reported_in_our_words_where_it_is() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.compile_fail(if cfg!(feature = "quartz") { "tests/ui_quartz/*.rs" } else { "tests/ui_without_quartz/*.rs" });
}
