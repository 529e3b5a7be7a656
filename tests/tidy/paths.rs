//! Paths in Rust code: which modules a file names, by `use` or in an expression. A small reader of
//! `use` trees, not a Rust parser: code must be stripped of comments and strings before.

use crate::source::{SourceFile, is_word};

/// A path that starts at `crate`, `self` or `super`, or one leaf of a `use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) segments: Vec<String>,
    alias: Option<String>,
    pub(crate) is_macro: bool,
}

impl Import {
    /// The name under which the importing module knows it.
    pub(crate) fn name(&self) -> Option<&str> {
        self.alias
            .as_ref()
            .or_else(|| self.segments.last())
            .map(String::as_str)
    }

    /// The path from the crate's root, for a file whose module path is `own`.
    pub(crate) fn resolve(&self, own: &[String]) -> Vec<String> {
        let mut base = own.to_vec();
        let mut rest = self.segments.as_slice();
        while let Some((head, tail)) = rest.split_first() {
            match head.as_str() {
                "crate" => base.clear(),
                "super" => drop(base.pop()),
                "self" => {}
                _ => break,
            }
            rest = tail;
        }
        base.extend(rest.iter().cloned());
        base
    }
}

/// Module path of a file below `source`: `wal/record.rs` is `[wal, record]`, `lib.rs` is `[]`.
pub(crate) fn module_of(file: &SourceFile, source: &str) -> Vec<String> {
    let inner = file.path.trim_start_matches(source).trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    let roots = ["lib", "main", "mod"];
    if parts
        .last()
        .is_some_and(|last| roots.contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

/// Every path in `code` that starts at `crate`, `super` or `self`.
pub(crate) fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for root in ["crate", "super", "self"] {
        for at in words(code, root) {
            let before = code[..at].trim_end();
            let continues = before.ends_with("::");
            let visibility = before.ends_with("(in");
            let path = code[at + root.len()..].trim_start().starts_with("::");
            if path && !continues && !visibility {
                Reader { rest: &code[at..] }.tree(&[], &mut found);
            }
        }
    }
    found
}

/// Every leaf of every `use` in `code`, whatever it starts at.
pub(crate) fn uses(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for at in words(code, "use") {
        Reader {
            rest: &code[at + 3..],
        }
        .tree(&[], &mut found);
    }
    found
}

/// Where `word` stands alone in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn tree(&mut self, prefix: &[String], found: &mut Vec<Import>) {
        let mut segments = prefix.to_vec();
        loop {
            self.space();
            if self.take("{") {
                return self.group(&segments, found);
            }
            let word = if self.take("*") {
                "*".to_owned()
            } else {
                self.word()
            };
            if word.is_empty() {
                break;
            }
            segments.push(word);
            self.space();
            if !self.take("::") {
                break;
            }
        }
        let is_macro = self.rest.starts_with('!') && !self.rest.starts_with("!=");
        let alias = self.take("as ").then(|| {
            self.space();
            self.word()
        });
        if !segments.is_empty() {
            found.push(Import {
                segments,
                alias,
                is_macro,
            });
        }
    }

    fn group(&mut self, prefix: &[String], found: &mut Vec<Import>) {
        loop {
            self.space();
            if self.rest.is_empty() || self.take("}") {
                return;
            }
            let before = self.rest.len();
            self.tree(prefix, found);
            self.space();
            if !self.take(",") && self.rest.len() == before {
                return;
            }
        }
    }

    fn word(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| !is_word(c))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[test]
fn use_trees_are_read_leaf_by_leaf() {
    let found = imports("use crate::{a::{B, C as D}, e};\nlet x = super::f::<T>(); crate::m!(1)");
    let text: Vec<String> = found.iter().map(|i| i.segments.join("::")).collect();
    assert_eq!(
        text,
        [
            "crate::a::B",
            "crate::a::C",
            "crate::e",
            "crate::m",
            "super::f"
        ]
    );
    assert_eq!(found[1].name(), Some("D"));
    assert!(found[3].is_macro);
}
