//! Groups of regular expressions.

use datafusion::arrow::array::{ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::UInt64Type;
use std::sync::Arc;

use crate::error::{ErrorCode, Result};
use crate::functions::kernel::Resolved;
use crate::functions::pattern::regex;
use crate::functions::rows::{Longs, Texts, numbers, text_lists, texts, validity};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("extractAllGroups", (2, 2), |call| all_groups(call, true)),
    strict("extractAllGroupsVertical", (2, 2), |call| {
        all_groups(call, true)
    }),
    strict("extractAllGroupsHorizontal", (2, 2), |call| {
        all_groups(call, false)
    }),
    strict("extractGroups", (2, 2), groups),
    strict("regexpExtract", (2, 3), one_group),
    strict("REGEXP_EXTRACT", (2, 3), one_group).any_case(),
    strict("REGEXP_SUBSTR", (2, 3), one_group).any_case(),
    strict("countMatchesCaseInsensitive", (2, 2), count_folded),
];

fn checked(call: &Call<'_>) -> Result<regex::Regex> {
    call.want_text(&[0, 1])?;
    let re = regex(call.constant_text(1)?)?;
    if re.captures_len() < 2 {
        return Err(call.fail(
            ErrorCode::BadArguments,
            "There are no groups in the pattern",
        ));
    }
    Ok(re)
}

/// By match, or by group.
fn all_groups(call: &Call<'_>, by_match: bool) -> Result<Resolved> {
    let re = checked(call)?;
    let ty = Type::Array(Box::new(Type::Array(Box::new(Type::String))));
    let item = crate::types::item_field(&Type::String);
    let outer = crate::types::item_field(&Type::Array(Box::new(Type::String)));
    Ok(Resolved::new(ty, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let mask = validity(cols, rows);
        let inner = ListBuilder::new(StringViewBuilder::new()).with_field(Arc::clone(&item));
        let mut builder = ListBuilder::new(inner).with_field(Arc::clone(&outer));
        for row in 0..rows {
            let known = mask.as_ref().is_none_or(|mask| mask.is_valid(row));
            let text = if known { s.get(row) } else { "" };
            let found: Vec<Vec<&str>> = re
                .captures_iter(text)
                .map(|found| {
                    let groups = found.iter().skip(1);
                    groups.map(|g| g.map_or("", |g| g.as_str())).collect()
                })
                .collect();
            let lists: Vec<Vec<&str>> = if by_match {
                found
            } else {
                (0..re.captures_len() - 1)
                    .map(|i| found.iter().filter_map(|m| m.get(i).copied()).collect())
                    .collect()
            };
            for list in lists {
                for text in list {
                    builder.values().values().append_value(text);
                }
                builder.values().append(true);
            }
            builder.append(true);
        }
        Ok(Arc::new(builder.finish()))
    }))
}

/// The groups of the first match.
fn groups(call: &Call<'_>) -> Result<Resolved> {
    let re = checked(call)?;
    let ty = Type::Array(Box::new(Type::String));
    Ok(Resolved::new(ty, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        text_lists(cols, rows, |row, items| {
            if let Some(found) = re.captures(s.get(row)) {
                let groups = found.iter().skip(1);
                groups.for_each(|g| items.append_value(g.map_or("", |g| g.as_str())));
            }
            Ok(())
        })
    }))
}

/// The group of the given number, 1 without one; 0 is the whole match.
fn one_group(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    call.want_integer(&[2])?;
    let re = regex(call.constant_text(1)?)?;
    let with_index = call.args.len() > 2;
    if let Some(index) = call.constant(2).and_then(crate::types::Value::as_i128)
        && usize::try_from(index).map_or(true, |i| i >= re.captures_len())
    {
        let what = "Index value is out of range of the groups in the pattern";
        return Err(call.fail(ErrorCode::BadArguments, what));
    }
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let indexes = with_index.then(|| Longs::of(cols, 2)).transpose()?;
        let default = usize::from(re.captures_len() > 1);
        texts(cols, rows, |row, out| {
            let index = indexes.as_ref().map_or(default, |all| {
                usize::try_from(all.get(row)).unwrap_or(usize::MAX)
            });
            if let Some(group) = re.captures(s.get(row)).and_then(|found| found.get(index)) {
                out.push_str(group.as_str());
            }
            Ok(())
        })
    }))
}

fn count_folded(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let re = regex(&format!("(?i){}", call.constant_text(1)?))?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let found = re.find_iter(s.get(row)).filter(|m| !m.is_empty()).count();
            Ok(u64::try_from(found).unwrap_or(u64::MAX))
        })
    }))
}
