//! The settings that have an effect, or that clients look for before they send them. Others are accepted and ignored,
//! and not listed: clients take a listed name as a promise.

use super::row::{Row, flag, text};
use crate::catalog::moment::Moment;

/// Name, type, default and description of a setting a line.
static TEXT: &str = include_str!("../settings.txt");

pub(super) fn settings(moment: &Moment) -> Vec<Row> {
    TEXT.lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let name = fields.next()?;
            let (ty, default, description) = (fields.next()?, fields.next()?, fields.next()?);
            let given = moment.settings.iter().rev().find(|(key, _)| key == name);
            let value = given.map_or(default, |(_, value)| value.as_str());
            Some(Row::of([
                ("name", text(name)),
                ("value", text(value)),
                ("changed", flag(given.is_some())),
                ("description", text(description)),
                ("type", text(ty)),
                ("default", text(default)),
            ]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_setting_and_names_are_sorted() {
        let moment = Moment::default();
        assert_eq!(settings(&moment).len(), TEXT.lines().count());
        let names: Vec<_> = TEXT
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert!(names.is_sorted() && names.contains(&"wait_end_of_query"));
        assert!(!names.contains(&"enable_full_text_index"));
    }
}
