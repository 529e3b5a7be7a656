//! The repository as the checks see it: every text file, and for Rust its code without comments,
//! string contents and, separately, without tests. Finds nothing by itself.

use std::fs;
use std::path::Path;

/// One text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Path from the top of the repository, with `/`.
    pub(crate) path: String,
    /// As it is on disk.
    pub(crate) text: String,
    /// Rust only: comments and the insides of strings are spaces; lines stay where they are.
    pub(crate) code: String,
    /// Rust only: `code` without `#[cfg(test)]` items; empty in a file of tests.
    pub(crate) production: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let rust = path.ends_with(".rs");
        let code = if rust { strip(text) } else { String::new() };
        let is_test = path.starts_with("tests/")
            || path.ends_with("/tests.rs")
            || path.contains("/tests/")
            || path.contains("/src/") && path.ends_with("_tests.rs");
        let production = if is_test {
            String::new()
        } else {
            blank_tests(&code)
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            production,
        }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every text file of the repository that the checks read.
pub(crate) fn repository() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    walk(&root, "", &mut files);
    assert!(files.len() > 10, "the repository was not found");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    mark_test_modules(&mut files);
    files
}

/// A file behind `#[cfg(test)] mod name;` is no production code either.
fn mark_test_modules(files: &mut [SourceFile]) {
    let mut folders = Vec::new();
    for file in files.iter() {
        let stem = file.path.trim_end_matches(".rs");
        let room = stem
            .strip_suffix("/mod")
            .or_else(|| stem.strip_suffix("/lib"))
            .unwrap_or(stem);
        for rest in file.code.split("#[cfg(test)]").skip(1) {
            let declared = rest.trim_start().strip_prefix("mod ");
            let name = declared.and_then(|rest| rest.split_once(';'));
            if let Some((name, _)) = name.filter(|(name, _)| name.chars().all(is_word)) {
                folders.push(format!("{room}/{name}"));
            }
        }
    }
    for file in files {
        let stem = file.path.trim_end_matches(".rs");
        let inside = |folder: &String| {
            stem == folder
                || stem
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        if folders.iter().any(inside) {
            file.production.clear();
        }
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) {
    const SKIP: [&str; 6] = [
        "target",
        ".git",
        "cairn-data",
        ".venv",
        "__pycache__",
        "node_modules",
    ];
    const KINDS: [&str; 8] = ["rs", "toml", "md", "py", "sh", "yaml", "yml", "slt"];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if SKIP.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
            continue;
        }
        let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
        let read = KINDS.contains(&kind) || path == ".ci/run" || name.starts_with("Dockerfile");
        if read && !path.contains("/fixtures/") {
            files.push(SourceFile::new(
                &path,
                &fs::read_to_string(entry.path()).unwrap(),
            ));
        }
    }
}

/// Replaces comments and the contents of string and character literals by spaces.
pub(crate) fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = comment_length(rest).or_else(|| literal_length(rest, &out));
        let (length, quote) = match hidden {
            Some(length) => (length, first == '"' || first == '\''),
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        let (gone, left) = rest.split_at(length);
        let blank = gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        let start = out.len();
        out.extend(blank);
        if quote && length > 1 {
            out.replace_range(start..=start, "\"");
            out.pop();
            out.push('"');
        }
        rest = left;
    }
    out
}

fn comment_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(rest.len())
}

fn literal_length(rest: &str, before: &str) -> Option<usize> {
    let after_word = before.chars().next_back().is_some_and(is_word);
    if rest.starts_with('"') {
        return Some(quoted_length(rest, '"'));
    }
    if rest.starts_with('r') && !after_word || rest.starts_with('r') && before.ends_with('b') {
        let hashes = rest[1..].chars().take_while(|&c| c == '#').count();
        let body = 1 + hashes;
        if rest[body..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let found = rest[body + 1..].find(&end)?;
            return Some(body + 1 + found + end.len());
        }
        return None;
    }
    if rest.starts_with('\'') {
        let mut chars = rest.chars().skip(1);
        let first = chars.next()?;
        // `'a` without a closing quote is a lifetime.
        if first == '\\' || chars.next() == Some('\'') {
            return Some(quoted_length(rest, '\''));
        }
    }
    None
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether `c` can be part of an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Blanks the items behind `#[cfg(test)]` in stripped code.
pub(crate) fn blank_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(") {
        let start = from + found;
        let condition = &out[start + "#[cfg(".len()..];
        from = start + 1;
        if condition.starts_with("test)") || condition.starts_with("all(test") {
            let end = start + item_length(&out[start..]);
            let blank: String = out[start..end]
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' })
                .collect();
            out.replace_range(start..end, &blank);
        }
    }
    out
}

/// Length of an item with its attributes: up to its `;` or the end of its braces.
fn item_length(item: &str) -> usize {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (at, c) in item.char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            '{' => curly += 1,
            '}' => {
                curly -= 1;
                if curly <= 0 {
                    return at + 1;
                }
            }
            ';' if round == 0 && curly == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn comments_and_strings_are_not_code() {
    let code =
        strip("let a = \"use crate::x\"; // crate::y\n/* crate::z */ let 'a: r#\"q\"q\"#; '\"'");
    for word in ["crate", "q"] {
        assert!(!code.contains(word), "{code}");
    }
    assert!(code.contains("let 'a:"));
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn test_modules_are_not_production() {
    let text = "use a;\n#[cfg(test)]\nmod tests { fn f() { crate::store } }\nfn g() {}";
    let file = SourceFile::new("crates/x/src/y.rs", text);
    assert!(!file.production.contains("store"));
    assert!(file.production.contains("fn g"));
}

#[test]
fn a_file_declared_for_tests_is_not_production() {
    let room = SourceFile::new("crates/x/src/a/mod.rs", "#[cfg(test)]\nmod rows;\nmod b;\n");
    let rows = SourceFile::new("crates/x/src/a/rows.rs", "use crate::store;\n");
    let other = SourceFile::new("crates/x/src/a/b.rs", "use crate::store;\n");
    let mut files = [room, rows, other];
    mark_test_modules(&mut files);
    assert!(files[1].production.is_empty());
    assert!(!files[2].production.is_empty());
}
