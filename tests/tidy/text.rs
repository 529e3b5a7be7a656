//! Facts about single files: module comments, re-exports, left-overs, names, white space. And the
//! report of what is only guidance.

use crate::paths::words;
use crate::source::{SourceFile, is_word};

/// Words a name may not contain, because they say nothing. Segments of snake_case and CamelCase.
const EMPTY_NAMES: [&str; 8] = [
    "manager", "helper", "helpers", "util", "utils", "misc", "v2", "legacy",
];

pub(crate) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        check_white_space(file, &mut problems);
        check_left_overs(file, &mut problems);
        if file.is_rust() {
            check_module_comment(file, &mut problems);
            check_exports_and_prints(file, &mut problems);
            check_names(file, &mut problems);
            check_place(file, files, &mut problems);
        }
    }
    problems
}

fn check_white_space(file: &SourceFile, problems: &mut Vec<String>) {
    for (number, line) in file.text.lines().enumerate() {
        if line.contains('\t') || line.trim_end() != line {
            problems.push(format!(
                "{}:{}: tab or trailing space",
                file.path,
                number + 1
            ));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(format!("{}: no newline at the end", file.path));
    }
}

fn check_left_overs(file: &SourceFile, problems: &mut Vec<String>) {
    // Spelt in two halves, so that this file passes its own check.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
    ];
    for (number, line) in file.text.lines().enumerate() {
        for mark in marks {
            if words(line, mark).next().is_some() {
                problems.push(format!(
                    "{}:{}: finish it or drop `{mark}`",
                    file.path,
                    number + 1
                ));
            }
        }
        for path in machine {
            if line.contains(path) {
                problems.push(format!(
                    "{}:{}: a path of one machine",
                    file.path,
                    number + 1
                ));
            }
        }
    }
}

fn check_module_comment(file: &SourceFile, problems: &mut Vec<String>) {
    if !file.text.starts_with("//!") {
        problems.push(format!(
            "{}: starts without `//!`: what does it do, and what not?",
            file.path
        ));
    }
}

fn check_exports_and_prints(file: &SourceFile, problems: &mut Vec<String>) {
    for (number, line) in file.production.lines().enumerate() {
        let number = number + 1;
        let line = line.trim();
        if line.starts_with("pub") && line.contains("use ") && line.ends_with("::*;") {
            problems.push(format!(
                "{}:{number}: re-exports with `*`; list the names",
                file.path
            ));
        }
        for call in [
            concat!("db", "g!("),
            concat!("print", "ln!("),
            concat!("eprint", "ln!("),
        ] {
            let found = line.find(call);
            if found.is_some_and(|at| !line[..at].chars().next_back().is_some_and(is_word)) {
                problems.push(format!(
                    "{}:{number}: `{call}`; log or return it",
                    file.path
                ));
            }
        }
    }
}

fn check_names(file: &SourceFile, problems: &mut Vec<String>) {
    let stem = file
        .path
        .rsplit('/')
        .next()
        .unwrap_or("")
        .trim_end_matches(".rs");
    let mut names = vec![stem.to_owned()];
    for keyword in [
        "fn", "struct", "enum", "trait", "mod", "const", "static", "type",
    ] {
        for at in words(&file.production, keyword) {
            let rest = file.production[at + keyword.len()..].trim_start();
            names.push(rest.chars().take_while(|&c| is_word(c)).collect());
        }
    }
    for name in names {
        let parts = name_parts(&name);
        let empty = parts
            .iter()
            .find(|part| EMPTY_NAMES.contains(&part.as_str()));
        if let Some(part) = empty {
            problems.push(format!(
                "{}: name `{name}`: `{part}` says nothing",
                file.path
            ));
        }
        // A handler speaks a protocol; only the server does.
        let outside = file.path.starts_with("crates/") && !file.path.starts_with("crates/server/");
        if outside && parts.iter().any(|part| part == "handler") {
            problems.push(format!(
                "{}: name `{name}`: handlers live in the server",
                file.path
            ));
        }
    }
}

/// `SegmentWriter` and `segment_writer` are both `[segment, writer]`.
fn name_parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && lower_before {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| c != '_') {
            part.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    parts
}

fn check_place(file: &SourceFile, files: &[SourceFile], problems: &mut Vec<String>) {
    let folder = file.path.trim_end_matches(".rs");
    if files
        .iter()
        .any(|other| other.path == format!("{folder}/mod.rs"))
    {
        problems.push(format!("{}: stands beside a folder of its name", file.path));
    }
}

/// Guidance, read in review; nothing here fails.
pub(crate) fn report(files: &[SourceFile]) -> Vec<String> {
    let mut lines = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let count = file.text.lines().count();
        let own_tests = file.production.is_empty();
        if count > if own_tests { 600 } else { 400 } {
            lines.push(format!("{}: {count} lines", file.path));
        }
        let name = file.path.rsplit('/').next().unwrap_or("");
        if ["lib.rs", "mod.rs"].contains(&name) && count > 150 {
            lines.push(format!("{}: {count} lines in a façade", file.path));
        }
        let long = file
            .text
            .lines()
            .filter(|line| line.chars().count() > 100)
            .count();
        if long > 0 {
            lines.push(format!("{}: {long} lines over 100 characters", file.path));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&[SourceFile::new(path, text)]).len()
    }

    #[test]
    fn left_overs_are_found() {
        let path = "crates/query/src/a.rs";
        assert_eq!(problems(path, "//! A.\nfn f() {}\n"), 0);
        for bad in [
            "fn f() {}\n".to_owned(),
            "//! A. \n".to_owned(),
            "//! A.\n\tfn f() {}\n".to_owned(),
            "//! A.".to_owned(),
            format!("//! A. {}\n", concat!("TO", "DO")),
            format!("//! See {}x.\n", concat!("/wo", "rk/")),
            format!("//! A.\nfn f() {{ {}1) }}\n", concat!("print", "ln!(")),
            "//! A.\npub use tables::*;\n".to_owned(),
        ] {
            assert_eq!(problems(path, &bad), 1, "{bad:?}");
        }
    }

    #[test]
    fn empty_names_are_found() {
        let path = "crates/query/src/a.rs";
        for bad in [
            "struct FileManager;",
            "mod utils {}",
            "fn open_v2() {}",
            "fn old_handler() {}",
        ] {
            assert_eq!(problems(path, &format!("//! A.\n{bad}\n")), 1, "{bad}");
        }
        assert_eq!(problems("crates/query/src/helpers.rs", "//! A.\n"), 1);
        assert_eq!(problems(path, "//! A.\nfn utilisation() {}\n"), 0);
    }

    #[test]
    fn a_file_beside_its_folder_is_found() {
        let file = SourceFile::new("crates/query/src/a.rs", "//! A.\n");
        let folder = SourceFile::new("crates/query/src/a/mod.rs", "//! A.\n");
        assert_eq!(check(&[file, folder]).len(), 1);
    }

    #[test]
    fn long_files_and_lines_are_reported() {
        let text = format!("//! A.\n{}\n{}", "x".repeat(101), "\n".repeat(400));
        assert_eq!(
            report(&[SourceFile::new("crates/query/src/a.rs", &text)]).len(),
            2
        );
    }
}
