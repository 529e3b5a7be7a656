//! Layers: in each crate a module imports only modules of lower layers, and the files of one room
//! do not import each other in a circle. The tables here are the architecture.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Import, imports, module_of};
use crate::source::SourceFile;

/// A crate and its modules, each with its layer. A new module is added here on purpose.
type Table = (&'static str, &'static [(&'static str, u8)]);

pub(crate) const TABLES: [Table; 4] = [
    ("crates/storage", &STORAGE),
    ("crates/ingest", &INGEST),
    ("crates/query", &QUERY),
    ("crates/server", &SERVER),
];

const STORAGE: [(&str, u8); 27] = [
    ("ids", 0),
    ("time", 0),
    ("limits", 0),
    ("error", 1),
    ("names", 1),
    ("export", 1),
    ("invariants", 2),
    ("schema", 2),
    ("io", 2),
    ("budget", 2),
    ("predicate", 3),
    ("record", 3),
    ("config", 3),
    ("text_match", 4),
    ("wal", 4),
    ("memtable", 4),
    ("segment", 4),
    ("manifest", 5),
    ("live", 5),
    ("flush", 6),
    ("compaction", 6),
    ("retention", 6),
    ("tiering", 6),
    ("scan", 6),
    ("maintain", 7),
    ("offline", 8),
    ("store", 8),
];

const INGEST: [(&str, u8); 15] = [
    ("limits", 0),
    ("ids", 0),
    ("time", 0),
    ("error", 1),
    ("notes", 2),
    ("admit", 2),
    ("encoding", 2),
    ("otlp", 2),
    ("batch", 3),
    ("attributes", 4),
    ("logs", 5),
    ("traces", 5),
    ("metrics", 5),
    ("rows", 5),
    ("decoder", 6),
];

const QUERY: [(&str, u8); 18] = [
    ("limits", 0),
    ("error", 0),
    ("facts", 0),
    ("control", 1),
    ("syntax", 1),
    ("types", 2),
    ("admit", 2),
    ("answer", 3),
    ("functions", 3),
    ("aggregates", 4),
    ("catalog", 5),
    ("analyze", 6),
    ("insert", 6),
    ("scan", 6),
    ("lower", 7),
    ("optimize", 8),
    ("session", 9),
    ("engine", 10),
];

const SERVER: [(&str, u8); 10] = [
    ("error", 0),
    ("access", 0),
    ("config", 1),
    ("telemetry", 2),
    ("http", 3),
    ("clickhouse", 4),
    ("otlp", 4),
    ("ops", 4),
    ("demo", 5),
    ("app", 6),
];

/// What breaks the layers of the crates in `tables`.
pub(crate) fn check(files: &[SourceFile], tables: &[Table]) -> Vec<String> {
    let mut problems = Vec::new();
    for (folder, layers) in tables {
        let source = format!("{folder}/src/");
        let of_crate: Vec<&SourceFile> = files
            .iter()
            .filter(|file| file.path.starts_with(&source) && file.is_rust())
            .collect();
        let layers: BTreeMap<&str, u8> = layers.iter().copied().collect();
        for file in &of_crate {
            check_layers(file, &module_of(file, &source), &layers, &mut problems);
        }
        problems.extend(cycles(&of_crate, &source));
    }
    problems
}

fn check_layers(
    file: &SourceFile,
    own: &[String],
    layers: &BTreeMap<&str, u8>,
    problems: &mut Vec<String>,
) {
    // `lib.rs` and `main.rs` are the façade: they name every module.
    let Some(room) = own.first() else { return };
    if file.production.is_empty() && !file.code.trim().is_empty() {
        return;
    }
    let Some(layer) = layers.get(room.as_str()) else {
        problems.push(format!(
            "{}: module `{room}` has no layer; add it to tests/tidy/layers.rs",
            file.path
        ));
        return;
    };
    for import in imports(&file.production) {
        let target = import.resolve(own);
        let Some(head) = target.first() else { continue };
        if head == room || import.is_macro {
            continue;
        }
        match layers.get(head.as_str()) {
            Some(lower) if lower < layer => {}
            Some(other) => problems.push(format!(
                "{}: `{room}` (layer {layer}) imports `{head}` (layer {other}); only lower layers",
                file.path
            )),
            None => problems.push(format!(
                "{}: imports `{}` through the façade; name its module",
                file.path,
                target.join("::")
            )),
        }
    }
}

/// Circles between files or folders of the same folder.
fn cycles(files: &[&SourceFile], source: &str) -> Vec<String> {
    let modules: BTreeMap<Vec<String>, &SourceFile> = files
        .iter()
        .map(|file| (module_of(file, source), *file))
        .collect();
    let mut edges: BTreeMap<(Vec<String>, String), BTreeSet<String>> = BTreeMap::new();
    for (own, file) in &modules {
        for import in imports(&file.production) {
            if let Some((parent, from, to)) = sibling_edge(own, &import, &modules) {
                edges.entry((parent, from)).or_default().insert(to);
            }
        }
    }
    let mut problems = BTreeSet::new();
    for (parent, start) in edges.keys() {
        if let Some(circle) = circle_from(parent, start, &edges) {
            problems.insert(format!("{source}{}: circle {circle}", parent.join("/")));
        }
    }
    problems.into_iter().collect()
}

fn sibling_edge(
    own: &[String],
    import: &Import,
    modules: &BTreeMap<Vec<String>, &SourceFile>,
) -> Option<(Vec<String>, String, String)> {
    let target = import.resolve(own);
    let shared = own.iter().zip(&target).take_while(|(a, b)| a == b).count();
    // The room itself importing its children, or a child naming its parent: not between siblings.
    let (from, to) = (own.get(shared)?, target.get(shared)?);
    let parent = own[..shared].to_vec();
    let child = |name: &String| [parent.as_slice(), std::slice::from_ref(name)].concat();
    let to = if modules.contains_key(&child(to)) {
        to.clone()
    } else {
        // A name the folder's own file re-exports stands for the file it comes from.
        let exports = imports_of_children(modules.get(&parent)?);
        exports.get(to)?.clone()
    };
    (from != &to).then(|| (parent, from.clone(), to))
}

fn imports_of_children(room: &SourceFile) -> BTreeMap<String, String> {
    crate::paths::uses(&room.production)
        .into_iter()
        .filter_map(|path| Some((path.name()?.to_owned(), path.segments.first()?.clone())))
        .collect()
}

fn circle_from(
    parent: &[String],
    start: &str,
    edges: &BTreeMap<(Vec<String>, String), BTreeSet<String>>,
) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![(start.to_owned(), start.to_owned())];
    while let Some((at, trail)) = open.pop() {
        for next in edges.get(&(parent.to_vec(), at)).into_iter().flatten() {
            let trail = format!("{trail} -> {next}");
            if next == start {
                return Some(trail);
            }
            if seen.insert(next.clone()) {
                open.push((next.clone(), trail));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<SourceFile> = files
            .iter()
            .map(|(path, text)| SourceFile::new(&format!("crates/storage/src/{path}"), text))
            .collect();
        check(&files, &TABLES)
    }

    #[test]
    fn an_import_of_a_higher_or_equal_layer_is_found() {
        for text in [
            "use crate::store::Store;",
            "use crate::{ids::WalSeq, memtable};",
            "fn f() { crate::store::open() }",
            "use super::segment::Meta;",
        ] {
            assert_eq!(problems(&[("wal/mod.rs", text)]).len(), 1, "{text}");
        }
        let good =
            "use crate::{error::{Error, Result}, ids::WalSeq};\npub(in crate::wal) fn f() {}";
        assert_eq!(problems(&[("wal/mod.rs", good)]), Vec::<String>::new());
    }

    #[test]
    fn an_import_through_the_facade_or_an_unknown_module_is_found() {
        assert_eq!(problems(&[("store.rs", "use crate::Error;")]).len(), 1);
        assert_eq!(problems(&[("mystery.rs", "")]).len(), 1);
    }

    #[test]
    fn a_circle_between_files_of_a_room_is_found() {
        let circle = [
            ("wal/mod.rs", "mod a;\nmod b;\npub(crate) use a::Thing;"),
            ("wal/a.rs", "use super::b::Other;"),
            ("wal/b.rs", "use super::Thing;"),
        ];
        assert_eq!(problems(&circle).len(), 2, "{:?}", problems(&circle));
        assert_eq!(problems(&circle[..2]), Vec::<String>::new());
    }
}
