//! Histograms, thinned curves, intervals, growth.

use super::moments::count;
use crate::types::Value;

fn column(columns: &[Vec<f64>], i: usize) -> &[f64] {
    columns.get(i).map_or(&[], Vec::as_slice)
}

fn rows(columns: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let (a, b) = (column(columns, 0), column(columns, 1));
    a.iter().copied().zip(b.iter().copied()).collect()
}

/// A whole number as an integer constant; the caller's type says which.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sums and positions of integers are whole"
)]
fn whole(value: f64) -> Value {
    let signed = value as i64;
    u64::try_from(signed).map_or(Value::Int(signed), Value::UInt)
}

/// The difference of the last and the first point's values by that of their positions.
pub(super) fn bounding_ratio(columns: &[Vec<f64>]) -> Value {
    let points = rows(columns);
    let first = points.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let last = points.iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(last)) = (first, last) else {
        return Value::Float(f64::NAN);
    };
    Value::Float((last.1 - first.1) / (last.0 - first.0))
}

fn growth(values: impl Iterator<Item = f64>) -> f64 {
    let mut before = None;
    let mut sum = 0.0;
    for value in values {
        if let Some(before) = before
            && value > before
        {
            sum += value - before;
        }
        before = Some(value);
    }
    sum
}

pub(super) fn delta_sum(columns: &[Vec<f64>]) -> Value {
    number(growth(column(columns, 0).iter().copied()))
}

pub(super) fn delta_sum_by_time(columns: &[Vec<f64>]) -> Value {
    let mut points = rows(columns);
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    number(growth(points.into_iter().map(|(value, _)| value)))
}

fn number(value: f64) -> Value {
    if value.fract() == 0.0 {
        whole(value)
    } else {
        Value::Float(value)
    }
}

/// Buckets that were joined two at a time, the closest first.
pub(super) fn histogram(columns: &[Vec<f64>], most: usize) -> Value {
    let mut values: Vec<f64> = column(columns, 0).to_vec();
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let mut points: Vec<(f64, f64)> = Vec::new();
    for value in values {
        match points.last_mut() {
            Some((mean, weight)) if *mean == value => *weight += 1.0,
            _ => points.push((value, 1.0)),
        }
        // Neighbours are joined early, so that the work is bounded.
        if points.len() > most.saturating_mul(8).max(64) {
            join_closest(&mut points, most.saturating_mul(4).max(32));
        }
    }
    let (Some(low), Some(high)) = (points.first(), points.last()) else {
        return Value::Array(Vec::new());
    };
    let (low, high) = (low.0, high.0);
    join_closest(&mut points, most);
    let mut bounds = vec![low];
    let pairs = points.iter().zip(points.iter().skip(1));
    bounds.extend(pairs.map(|((a, _), (b, _))| f64::midpoint(*a, *b)));
    bounds.push(high);
    let buckets = bounds.iter().zip(bounds.iter().skip(1)).zip(&points);
    Value::Array(
        buckets
            .map(|((from, to), (_, weight))| {
                Value::Tuple(vec![
                    Value::Float(*from),
                    Value::Float(*to),
                    Value::Float(*weight),
                ])
            })
            .collect(),
    )
}

fn join_closest(points: &mut Vec<(f64, f64)>, most: usize) {
    while points.len() > most.max(1) {
        let gaps = points.iter().zip(points.iter().skip(1));
        let closest = gaps
            .map(|(a, b)| b.0 - a.0)
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((at, _)) = closest else { return };
        let right = points.remove(at + 1);
        if let Some(left) = points.get_mut(at) {
            let weight = left.1 + right.1;
            *left = ((left.0 * left.1 + right.0 * right.1) / weight, weight);
        }
    }
}

/// How long any of the intervals lasts.
pub(super) fn covered_length(columns: &[Vec<f64>]) -> Value {
    let mut intervals = rows(columns);
    intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sum = 0.0;
    let mut until = f64::NEG_INFINITY;
    for (from, to) in intervals {
        if to > until {
            sum += to - from.max(until);
            until = to;
        }
    }
    number(sum)
}

/// How many intervals hold at a time at most, and where first.
pub(super) fn most_open(columns: &[Vec<f64>]) -> (Value, Value) {
    let mut edges: Vec<(f64, i64)> = Vec::new();
    for (from, to) in rows(columns) {
        edges.push((from, 1));
        edges.push((to, -1));
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut open, mut most, mut place) = (0_i64, 0_i64, 0.0);
    for (at, change) in edges {
        open += change;
        if open > most {
            (most, place) = (open, at);
        }
    }
    (Value::UInt(u64::try_from(most).unwrap_or(0)), number(place))
}

/// The curve with at most `most` points: of each slice the point that spans the largest triangle with the one kept
/// before and the middle of the next slice.
pub(super) fn triangles(columns: &[Vec<f64>], most: usize) -> Value {
    let mut points = rows(columns);
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let kept = if points.len() <= most || most < 3 {
        points.truncate(most.max(1));
        points
    } else {
        thinned(&points, most)
    };
    let shown = |(x, y): (f64, f64)| Value::Tuple(vec![Value::Float(x), Value::Float(y)]);
    Value::Array(kept.into_iter().map(shown).collect())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a slice of bounded length"
)]
fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let slice = (points.len() - 2) as f64 / (most - 2) as f64;
    let bound = |i: usize| ((i as f64 * slice).floor() as usize + 1).min(points.len() - 1);
    let mut kept: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for i in 0..most - 2 {
        let next_to = if i + 2 > most - 2 {
            points.len()
        } else {
            bound(i + 2)
        };
        let next = points
            .get(bound(i + 1)..next_to.max(bound(i + 1)))
            .unwrap_or_default();
        let xs: Vec<f64> = next.iter().map(|p| p.0).collect();
        let (cx, cy) = (
            xs.iter().sum::<f64>() / count(&xs),
            next.iter().map(|p| p.1).sum::<f64>() / count(&xs),
        );
        let (ax, ay) = kept.last().copied().unwrap_or((0.0, 0.0));
        let area = |p: &(f64, f64)| ((ax - cx) * (p.1 - ay) - (ax - p.0) * (cy - ay)).abs();
        let own = points.get(bound(i)..bound(i + 1)).unwrap_or_default();
        let mut best: Option<(f64, (f64, f64))> = None;
        for point in own {
            if best.is_none_or(|(known, _)| area(point) > known) {
                best = Some((area(point), *point));
            }
        }
        kept.extend(best.map(|(_, point)| point));
    }
    kept.extend(points.last());
    kept
}
