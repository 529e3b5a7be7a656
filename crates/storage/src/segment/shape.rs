//! How the columns of a table lie in one file: a root column for each, in the order of the table, then one for each key
//! that was promoted out of a map.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::schema::types::SchemaDescriptor;

use super::columns::ColumnPlan;
use super::maps::{file_map_entries, label_type};
use crate::schema::{ColumnKind, TableDef, attributes_type};

/// Ends the name of a map column when some keys are not in it.
const REST: &str = "Rest";

/// The root columns of a file.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    table: &'static TableDef,
    /// Names of the root columns.
    names: Vec<String>,
    /// By position of the column in the table.
    maps: BTreeMap<usize, MapShape>,
}

/// How a map column is stored.
#[derive(Debug, Clone, Default)]
struct MapShape {
    /// Whether its root column holds texts of sets instead of a map.
    sets: bool,
    /// Root columns of promoted keys.
    promoted: BTreeMap<String, usize>,
}

/// How a reader wants the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadForm {
    /// As scans return them, except that ids are still bytes.
    Whole,
    /// Maps with text views inside: for looking up single keys without copying every text.
    LookUp,
    /// As the writer takes them: labels as codes, texts in one piece.
    Rewrite,
}

impl Shape {
    /// The shape of a file with these columns.
    pub(super) fn of_plans(table: &'static TableDef, plans: &[ColumnPlan]) -> Self {
        let mut names = Vec::with_capacity(plans.len());
        let mut maps = BTreeMap::new();
        for (definition, plan) in table.columns.iter().zip(plans) {
            let rest = if plan.promoted.is_empty() { "" } else { REST };
            names.push(format!("{}{rest}", definition.name));
        }
        for (index, (definition, plan)) in table.columns.iter().zip(plans).enumerate() {
            if !definition.kind.is_map() {
                continue;
            }
            let mut shape = MapShape {
                sets: plan.sets,
                promoted: BTreeMap::new(),
            };
            for promoted in &plan.promoted {
                shape.promoted.insert(promoted.key.clone(), names.len());
                names.push(format!("{}{}", prefix_of(definition.name), promoted.key));
            }
            maps.insert(index, shape);
        }
        Self { table, names, maps }
    }

    /// The shape of a file, none when it does not have the columns of the table.
    pub(super) fn of_file(table: &'static TableDef, schema: &SchemaDescriptor) -> Option<Self> {
        let roots = schema.root_schema().get_fields();
        let mut names = Vec::with_capacity(roots.len());
        let mut maps = BTreeMap::new();
        for (index, column) in table.columns.iter().enumerate() {
            let root = roots.get(index)?;
            let name = root.name();
            let rest = name.strip_prefix(column.name)?;
            let is_rest = column.kind.is_map() && rest == REST;
            if !rest.is_empty() && !is_rest {
                return None;
            }
            if column.kind.is_map() {
                let shape = MapShape {
                    sets: root.is_primitive(),
                    promoted: BTreeMap::new(),
                };
                maps.insert(index, shape);
            }
            names.push(name.to_owned());
        }
        for (root, field) in roots.iter().enumerate().skip(names.len()) {
            let owner = maps.iter_mut().find_map(|(index, shape)| {
                let column = table.columns.get(*index)?;
                let key = field.name().strip_prefix(prefix_of(column.name).as_str())?;
                Some((key, shape))
            });
            let (key, shape) = owner.filter(|_| field.is_primitive())?;
            shape.promoted.insert(key.to_owned(), root);
            names.push(field.name().to_owned());
        }
        Some(Self { table, names, maps })
    }

    /// Name of a root column.
    pub(crate) fn name(&self, root: usize) -> &str {
        self.names.get(root).map_or("", String::as_str)
    }

    /// How many root columns there are.
    pub(super) fn root_count(&self) -> usize {
        self.names.len()
    }

    /// Root columns of the keys that were promoted out of the map column at `index` of the table, in order.
    pub(crate) fn promoted(&self, index: usize) -> impl Iterator<Item = (&str, usize)> {
        let shape = self.maps.get(&index).into_iter();
        shape.flat_map(|shape| {
            let keys = shape.promoted.iter();
            keys.map(|(key, root)| (key.as_str(), *root))
        })
    }

    /// The root column of a promoted key.
    pub(crate) fn root_of_key(&self, index: usize, key: &str) -> Option<usize> {
        self.maps.get(&index)?.promoted.get(key).copied()
    }

    /// Whether the column at `index` of the table is stored as sets that rows share.
    pub(crate) fn is_sets(&self, index: usize) -> bool {
        self.maps.get(&index).is_some_and(|shape| shape.sets)
    }

    /// Names of the root columns that hold texts of sets.
    pub(super) fn set_names(&self) -> impl Iterator<Item = &str> {
        let sets = self.maps.iter().filter(|(_, shape)| shape.sets);
        sets.map(|(root, _)| self.name(*root))
    }

    /// Whether a root column is read the same by every scan.
    pub(crate) fn has_one_form(&self, root: usize) -> bool {
        self.maps.get(&root).is_none_or(|shape| shape.sets)
    }

    /// Arrow schema of the batches that the Parquet writer gets.
    pub(super) fn file_schema(&self) -> SchemaRef {
        self.schema(|shape, kind| match kind {
            Some(ColumnKind::Label) => label_type(),
            Some(ColumnKind::SharedAttributes | ColumnKind::Attributes) if shape.sets => {
                label_type()
            }
            Some(ColumnKind::SharedAttributes | ColumnKind::Attributes) => {
                DataType::Map(file_map_entries(), false)
            }
            Some(
                kind @ (ColumnKind::Timestamp
                | ColumnKind::Seconds
                | ColumnKind::TraceId
                | ColumnKind::SpanId
                | ColumnKind::Text
                | ColumnKind::UInt8
                | ColumnKind::UInt64
                | ColumnKind::Number(_)
                | ColumnKind::SecondsList
                | ColumnKind::NumberList(_)
                | ColumnKind::TimestampList
                | ColumnKind::LabelList
                | ColumnKind::TextList
                | ColumnKind::AttributesList),
            ) => kind.write_type(),
            None => DataType::Utf8,
        })
    }

    /// Arrow schema to read the file with.
    pub(super) fn reader_schema(&self, form: ReadForm) -> SchemaRef {
        self.schema(|shape, kind| match kind {
            Some(kind @ (ColumnKind::TraceId | ColumnKind::SpanId)) => kind.write_type(),
            Some(ColumnKind::SharedAttributes | ColumnKind::Attributes) if shape.sets => {
                label_type()
            }
            Some(ColumnKind::SharedAttributes | ColumnKind::Attributes) => match form {
                ReadForm::Whole | ReadForm::Rewrite => attributes_type(),
                ReadForm::LookUp => viewed_map(),
            },
            Some(kind @ (ColumnKind::Label | ColumnKind::Text)) if form == ReadForm::Rewrite => {
                kind.write_type()
            }
            Some(
                kind @ (ColumnKind::Timestamp
                | ColumnKind::Seconds
                | ColumnKind::Label
                | ColumnKind::Text
                | ColumnKind::UInt8
                | ColumnKind::UInt64
                | ColumnKind::Number(_)
                | ColumnKind::SecondsList
                | ColumnKind::NumberList(_)
                | ColumnKind::TimestampList
                | ColumnKind::LabelList
                | ColumnKind::TextList
                | ColumnKind::AttributesList),
            ) => kind.read_type(),
            None => DataType::Utf8View,
        })
    }

    /// `type_of` gets the kind of a column of the table, none for a promoted key.
    fn schema(&self, type_of: impl Fn(&MapShape, Option<ColumnKind>) -> DataType) -> SchemaRef {
        let no_map = MapShape::default();
        let fields = self.names.iter().enumerate().map(|(root, name)| {
            let kind = self.table.columns.get(root).map(|column| column.kind);
            let data_type = type_of(self.maps.get(&root).unwrap_or(&no_map), kind);
            // A promoted key is NULL where the map does not have it.
            Field::new(name, data_type, kind.is_none_or(ColumnKind::is_id))
        });
        Schema::new(fields.collect::<Vec<_>>()).into()
    }
}

/// What the names of columns of promoted keys begin with. No column of a table begins like this.
fn prefix_of(column: &str) -> String {
    match column {
        "ResourceAttributes" => "ra.".to_owned(),
        "ScopeAttributes" => "sc.".to_owned(),
        "LogAttributes" => "la.".to_owned(),
        "SpanAttributes" => "sa.".to_owned(),
        other => format!("{other}."),
    }
}

fn viewed_map() -> DataType {
    let entry = vec![
        Field::new("key", DataType::Utf8View, false),
        Field::new("value", DataType::Utf8View, false),
    ];
    let entry = DataType::Struct(entry.into());
    DataType::Map(Field::new("key_value", entry, false).into(), false)
}
