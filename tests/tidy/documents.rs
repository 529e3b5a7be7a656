//! What documents and code promise each other: named paths exist, bounds are explained, invariants
//! are tested.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{SourceFile, is_word};

pub(crate) fn check(files: &[SourceFile], exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if file.path.ends_with(".md") {
            check_paths(file, exists, &mut problems);
        }
        if file.path.starts_with("crates/") && file.path.ends_with("/limits.rs") {
            check_limits(file, &mut problems);
        }
        if file.path == "docs/invariants.md" {
            check_invariants(file, files, &mut problems);
        }
    }
    problems
}

/// Whether a path from the top of the repository is there.
pub(crate) fn on_disk(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
        .exists()
}

fn check_paths(file: &SourceFile, exists: &dyn Fn(&str) -> bool, problems: &mut Vec<String>) {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (number, line) in file.text.lines().enumerate() {
        let quoted = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| is_path(word));
        for path in quoted {
            if !exists(path.trim_end_matches('/')) {
                problems.push(format!(
                    "{}:{}: no such path `{path}`",
                    file.path,
                    number + 1
                ));
            }
        }
        for link in line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or("");
            let inside = !target.is_empty() && !target.contains("://");
            if inside && !exists(&join(folder, target)) {
                problems.push(format!(
                    "{}:{}: broken link `{link}`",
                    file.path,
                    number + 1
                ));
            }
        }
    }
}

/// A word in backticks that names something of this repository, counted from its top.
fn is_path(word: &str) -> bool {
    const TOP: [&str; 6] = ["crates/", "tests/", "benches/", "docs/", "docker/", ".ci/"];
    let plain = word.chars().all(|c| is_word(c) || "./-".contains(c));
    let file_at_top = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ];
    plain && (TOP.iter().any(|top| word.starts_with(top)) || file_at_top.contains(&word))
}

fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A bound without its reason is a number nobody dares to change.
fn check_limits(file: &SourceFile, problems: &mut Vec<String>) {
    let mut documented = false;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim_start();
        let item = line.starts_with("pub") || line.starts_with("const");
        if item && line.contains("const ") && !documented {
            problems.push(format!(
                "{}:{}: a bound without its reason",
                file.path,
                number + 1
            ));
        }
        documented = line.starts_with("///") || documented && line.starts_with("#[");
    }
}

fn check_invariants(file: &SourceFile, files: &[SourceFile], problems: &mut Vec<String>) {
    let tested: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.code.contains("#[test]"))
        .flat_map(|file| invariant_ids(&file.text))
        .collect();
    for id in invariant_ids(&file.text).collect::<BTreeSet<_>>() {
        if !tested.contains(id) {
            problems.push(format!("{}: no test names invariant `{id}`", file.path));
        }
    }
}

fn invariant_ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_word(c) && c != '-')
        .filter(|word| {
            ["ST-", "QU-", "SV-", "IN-"].iter().any(|prefix| {
                let number = word.strip_prefix(prefix).unwrap_or("");
                !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        let exists = |path: &str| ["docs/a.md", "crates/storage"].contains(&path);
        check(&[SourceFile::new(path, text)], &exists).len()
    }

    #[test]
    fn a_path_or_link_that_leads_nowhere_is_found() {
        assert_eq!(
            problems(
                "docs/b.md",
                "`crates/storage/` [a](a.md#x) [web](https://x.y)"
            ),
            0
        );
        assert_eq!(
            problems("docs/b.md", "`crates/gone/src` and [b](../b.md)"),
            2
        );
        assert_eq!(
            problems(
                "README.md",
                "`a/b` is no path of ours, `docs/<name>` neither"
            ),
            0
        );
    }

    #[test]
    fn a_bound_without_a_reason_is_found() {
        let path = "crates/query/src/limits.rs";
        assert_eq!(problems(path, "/// Why.\npub(crate) const A: u8 = 1;\n"), 0);
        assert_eq!(
            problems(path, "/// Why.\nconst A: u8 = 1;\nconst B: u8 = 1;\n"),
            1
        );
    }

    #[test]
    fn an_invariant_without_a_test_is_found() {
        let document = SourceFile::new("docs/invariants.md", "ST-1 and ST-2");
        let test = SourceFile::new("crates/storage/src/a.rs", "// ST-1\n#[test]\nfn f() {}");
        assert_eq!(check(&[document, test], &|_| true).len(), 1);
    }
}
