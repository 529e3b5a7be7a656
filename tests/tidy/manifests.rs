//! Cargo manifests and lints: which crate may name which library, and that nobody loosens the lints.

use crate::paths::words;
use crate::source::SourceFile;

/// Crate folder, what its production code must never name (by prefix of the library's name), and
/// which crates of ours it may use.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// Programs of the interop tests are no members of the workspace.
const CLIENTS: &str = "tests/interop/";

const RULES: [Rule; 4] = [
    (
        "crates/storage",
        &[
            "datafusion",
            "sqlparser",
            "prost",
            "opentelemetry",
            "axum",
            "tonic",
            "hyper",
        ],
        &[],
    ),
    (
        "crates/ingest",
        &[
            "datafusion",
            "sqlparser",
            "axum",
            "tonic",
            "hyper",
            "parquet",
            "prost",
            "opentelemetry",
        ],
        &["cairn-storage"],
    ),
    (
        "crates/query",
        &[
            "prost",
            "opentelemetry",
            "axum",
            "tonic",
            "hyper",
            "parquet",
            "sqlparser",
        ],
        &["cairn-storage"],
    ),
    (
        "crates/server",
        &["parquet", "datafusion", "sqlparser"],
        &["cairn-storage", "cairn-ingest", "cairn-query"],
    ),
];

/// Lints without which a crate could panic on data; the workspace must deny them.
const NO_PANIC: [&str; 7] = [
    "unwrap_used",
    "expect_used",
    "panic",
    "todo",
    "unimplemented",
    "cast_possible_truncation",
    "allow_attributes",
];

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if file.path == "Cargo.toml" {
            check_workspace(file, &mut problems);
        } else if file.path.ends_with("/Cargo.toml") && !file.path.starts_with(CLIENTS) {
            check_manifest(file, &mut problems);
        } else if file.is_rust() {
            check_source(file, &mut problems);
        }
    }
    check_clippy(files, &mut problems);
    problems
}

fn check_workspace(file: &SourceFile, problems: &mut Vec<String>) {
    for lint in NO_PANIC {
        if !file.text.contains(&format!("\n{lint} = \"deny\"")) {
            problems.push(format!("{}: lint `{lint}` must be denied", file.path));
        }
    }
    if !file.text.contains("unsafe_code = \"forbid\"") {
        problems.push(format!("{}: `unsafe_code` must be forbidden", file.path));
    }
}

fn check_manifest(file: &SourceFile, problems: &mut Vec<String>) {
    if !file.text.contains("[lints]\nworkspace = true") {
        problems.push(format!(
            "{}: does not inherit the workspace's lints",
            file.path
        ));
    }
    let mut section = "";
    for line in file.text.lines() {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or("");
        if name.is_empty() || name.starts_with('#') || !section.contains("dependencies") {
            continue;
        }
        if !line.contains("workspace = true") {
            problems.push(format!(
                "{}: `{name}` takes no version from the workspace",
                file.path
            ));
        }
        // Tests may compare with other implementations; production may not use them.
        let test_only = section == "[dev-dependencies]";
        for (folder, never, ours) in RULES {
            if file.path != format!("{folder}/Cargo.toml") {
                continue;
            }
            let forbidden = !test_only && never.iter().any(|prefix| name.starts_with(prefix));
            let upwards = name.starts_with("cairn-") && !ours.contains(&name);
            if forbidden || upwards {
                problems.push(format!("{}: must not depend on `{name}`", file.path));
            }
        }
    }
}

fn check_source(file: &SourceFile, problems: &mut Vec<String>) {
    for (folder, never, _) in RULES {
        if !file.path.starts_with(&format!("{folder}/src/")) {
            continue;
        }
        for (number, line) in file.production.lines().enumerate() {
            // A module of ours may be called like a library; a library is used as `name::` or `name_x::`.
            let named = |prefix: &&&str| {
                line.match_indices(**prefix).any(|(at, _)| {
                    let start = line[..at].chars().next_back();
                    let rest = line[at..].trim_start_matches(crate::source::is_word);
                    !start.is_some_and(|c| crate::source::is_word(c) || c == ':')
                        && rest.starts_with("::")
                })
            };
            for library in never.iter().filter(named) {
                problems.push(format!("{}:{}: names `{library}`", file.path, number + 1));
            }
        }
    }
    // SQL text never reaches DataFusion: its own dialect can write files.
    if file.path.starts_with("crates/") && file.production.contains(".sql(") {
        problems.push(format!("{}: hands SQL text to DataFusion", file.path));
    }
    for attribute in ["allow", "expect"] {
        for at in words(&file.code, attribute) {
            let before = &file.code[..at];
            let is_attribute = ["#[", "#![", ", "]
                .iter()
                .any(|open| before.ends_with(open))
                && file.code[at..].starts_with(&format!("{attribute}("));
            let end = file.code[at..]
                .find(")]")
                .map_or(file.code.len(), |end| at + end);
            let excused = attribute == "expect" && file.code[at..end].contains("reason");
            let in_attribute = before
                .rfind('#')
                .is_some_and(|hash| !before[hash..].contains(']'));
            if is_attribute && in_attribute && !excused {
                let number = before.lines().count();
                problems.push(format!(
                    "{}:{number}: use `#[expect(lint, reason = \"…\")]`, not a bare `{attribute}`",
                    file.path
                ));
            }
        }
    }
}

/// `clippy.toml` files do not merge, the nearest wins: storage's must repeat the shared bans.
fn check_clippy(files: &[SourceFile], problems: &mut Vec<String>) {
    let text = |path: &str| {
        files
            .iter()
            .find(|file| file.path == path)
            .map(|file| &file.text)
    };
    let (Some(shared), Some(storage)) = (text("clippy.toml"), text("crates/storage/clippy.toml"))
    else {
        return;
    };
    for line in shared.lines().filter(|line| !line.starts_with('#')) {
        if !storage.contains(line.trim_end_matches(',')) {
            problems.push(format!(
                "crates/storage/clippy.toml: lacks the shared line `{line}`"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&[SourceFile::new(path, text)]).len()
    }

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_forbidden_dependency_is_found() {
        for (path, name) in [
            ("crates/storage/Cargo.toml", "datafusion-common"),
            ("crates/ingest/Cargo.toml", "tonic"),
            ("crates/query/Cargo.toml", "cairn-ingest"),
            ("crates/server/Cargo.toml", "parquet"),
        ] {
            let text = format!("{LINTS}[dependencies]\n{name}.workspace = true\n");
            assert_eq!(problems(path, &text), 1, "{path}");
        }
        let test_only = format!("{LINTS}[dev-dependencies]\nprost.workspace = true\n");
        assert_eq!(problems("crates/ingest/Cargo.toml", &test_only), 0);
    }

    #[test]
    fn a_manifest_with_own_versions_or_own_lints_is_found() {
        let text = format!("{LINTS}[dependencies]\nbytes = \"1\"\n");
        assert_eq!(problems("benches/Cargo.toml", &text), 1);
        assert_eq!(problems("benches/Cargo.toml", "[package]\n"), 1);
        assert_eq!(problems("Cargo.toml", ""), NO_PANIC.len() + 1);
    }

    #[test]
    fn a_forbidden_library_in_source_is_found() {
        let path = "crates/storage/src/a.rs";
        assert_eq!(problems(path, "use datafusion_common::X;"), 1);
        assert_eq!(
            problems(path, "// datafusion::x\nlet y = my_tonic::z();"),
            0
        );
        assert_eq!(problems("crates/query/src/a.rs", "ctx.sql(text)"), 1);
    }

    #[test]
    fn a_bare_allow_and_an_expect_without_reason_are_found() {
        let path = "crates/query/src/a.rs";
        assert_eq!(problems(path, "#[allow(dead_code)]\nfn f() {}"), 1);
        assert_eq!(problems(path, "#![expect(dead_code)]"), 1);
        assert_eq!(
            problems(path, "#[expect(dead_code, reason = \"x\")]\nfn f() {}"),
            0
        );
        assert_eq!(problems(path, "x.expect(1)"), 0);
    }

    #[test]
    fn a_clippy_file_that_forgets_a_shared_ban_is_found() {
        let shared = SourceFile::new("clippy.toml", "a = 1\nb = 2\n");
        let storage = SourceFile::new("crates/storage/clippy.toml", "a = 1\n");
        assert_eq!(check(&[shared, storage]).len(), 1);
    }
}
