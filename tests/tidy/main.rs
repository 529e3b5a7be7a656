//! The rules of this code base that no other tool checks: layers, forbidden dependencies, documents
//! that match the code. Each rule has a test of its own on bad input; the tests here run the rules
//! on the repository. `layers.rs` is where a new module gets its place.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod source;
#[cfg(test)]
mod text;

#[cfg(test)]
fn assert_clean(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn modules_import_lower_layers_only() {
    assert_clean(&layers::check(&source::repository(), &layers::TABLES));
}

#[test]
fn crates_name_only_what_they_may() {
    assert_clean(&manifests::check(&source::repository()));
}

#[test]
fn files_are_tidy() {
    let files = source::repository();
    // Guidance is shown by `cargo test -p tidy -- --nocapture`.
    println!("{}", text::report(&files).join("\n"));
    assert_clean(&text::check(&files));
}

#[test]
fn documents_match_the_code() {
    assert_clean(&documents::check(
        &source::repository(),
        &documents::on_disk,
    ));
}
