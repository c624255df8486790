//! Each mistake that an annotation can have, with what the compiler says of it.

#[test]
fn every_mistake_is_reported_in_our_words_where_it_is() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
