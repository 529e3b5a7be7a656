//! WITH FILL over answers, compared with what ClickHouse answered.

use super::clauses::compare;
use super::*;
use crate::lower::Filler;

/// Rows of a statement after filling, in the smallest steps: one given row at a time.
async fn filled(query: &str) -> Result<(Vec<(String, Type)>, Vec<String>)> {
    let (statement, all) = whole_answer(query, &[], &[]).await?;
    let output = &statement.query.output;
    let columns: Vec<_> = output
        .iter()
        .map(|c| (c.name.clone(), c.ty.clone()))
        .collect();
    let types: Vec<Type> = output.iter().map(|c| c.ty.clone()).collect();
    let Some(fill) = statement.fill.clone() else {
        return Ok((columns, rows(&all, &types)?));
    };
    let mut filler = Filler::new(fill, types.clone(), all.schema());
    let mut shown = Vec::new();
    for start in 0..all.num_rows() {
        let batch = all.slice(start, 1);
        let mut row = 0;
        while row < 1 && !filler.is_full() {
            let (made, next) = filler.push(&batch, row)?;
            row = next;
            shown.extend(rows(&made, &types)?);
        }
    }
    while !filler.is_full()
        && let Some(made) = filler.finish()?
    {
        shown.extend(rows(&made, &types)?);
    }
    Ok((columns, shown))
}

#[tokio::test]
async fn filled_rows_are_those_of_clickhouse() {
    let gaps = [
        // Columns can only be carried over.
        "SELECT number * 2 AS n, number AS v FROM numbers(2) ORDER BY n WITH FILL INTERPOLATE (v AS v + 1)",
    ];
    let fixture = include_str!("../fixtures/clauses/fill.txt");
    let mut found = Vec::new();
    for (query, _) in cases(fixture) {
        found.push(filled(&query).await);
    }
    compare(fixture, &gaps, found);
}
