//! Moments, entropy, correlation of ranks, regression.

use hashbrown::HashMap;

use crate::types::Value;

fn column(columns: &[Vec<f64>], i: usize) -> &[f64] {
    columns.get(i).map_or(&[], Vec::as_slice)
}

#[expect(clippy::cast_precision_loss, reason = "counts are bounded")]
pub(super) fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

/// Mean of the powers of the distances from the mean.
fn moment(values: &[f64], power: i32) -> f64 {
    let mean = mean(values);
    let sum: f64 = values.iter().map(|v| (v - mean).powi(power)).sum();
    sum / count(values)
}

fn variance(values: &[f64], sample: bool) -> f64 {
    let population = moment(values, 2);
    if sample {
        population * count(values) / (count(values) - 1.0)
    } else {
        population
    }
}

pub(super) fn skew(columns: &[Vec<f64>], sample: bool) -> Value {
    let values = column(columns, 0);
    Value::Float(moment(values, 3) / variance(values, sample).powf(1.5))
}

pub(super) fn kurtosis(columns: &[Vec<f64>], sample: bool) -> Value {
    let values = column(columns, 0);
    Value::Float(moment(values, 4) / variance(values, sample).powi(2))
}

pub(super) fn entropy(columns: &[Vec<f64>]) -> Value {
    let values = column(columns, 0);
    let mut counts: HashMap<u64, f64> = HashMap::new();
    for value in values {
        *counts.entry(value.to_bits()).or_insert(0.0) += 1.0;
    }
    let total = count(values);
    let mut shares: Vec<f64> = counts.into_values().map(|n| n / total).collect();
    // Adding in one order makes answers repeat.
    shares.sort_by(f64::total_cmp);
    Value::Float(shares.iter().map(|p| -p * p.log2()).sum())
}

pub(super) fn weighted_mean(columns: &[Vec<f64>]) -> Value {
    let (values, weights) = (column(columns, 0), column(columns, 1));
    let sum: f64 = values.iter().zip(weights).map(|(v, w)| v * w).sum();
    Value::Float(sum / weights.iter().sum::<f64>())
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    order.sort_by(|a, b| at(*a).total_cmp(&at(*b)));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let value = order.get(from).map_or(f64::NAN, |i| at(*i));
        let same = order.iter().skip(from).take_while(|i| at(**i) == value);
        let run = same.count().max(1);
        // Equal values share the middle of their ranks.
        #[expect(clippy::cast_precision_loss, reason = "counts are bounded")]
        let rank = from as f64 + (run as f64 + 1.0) / 2.0;
        for i in order.iter().skip(from).take(run) {
            if let Some(slot) = ranks.get_mut(*i) {
                *slot = rank;
            }
        }
        from += run;
    }
    ranks
}

pub(super) fn rank_correlation(columns: &[Vec<f64>]) -> Value {
    let (a, b) = (ranks(column(columns, 0)), ranks(column(columns, 1)));
    let squares: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    let n = count(&a);
    Value::Float(1.0 - 6.0 * squares / (n * (n * n - 1.0)))
}

/// Slope and intercept of the line of least squares.
pub(super) fn line(columns: &[Vec<f64>]) -> Value {
    let (x, y) = (column(columns, 0), column(columns, 1));
    let n = count(x);
    let (sx, sy): (f64, f64) = (x.iter().sum(), y.iter().sum());
    let sxx: f64 = x.iter().map(|x| x * x).sum();
    let sxy: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
    let divisor = sxx * n - sx * sx;
    let slope = if divisor == 0.0 {
        f64::NAN
    } else {
        (sxy * n - sx * sy) / divisor
    };
    let intercept = (sy - slope * sx) / n;
    Value::Tuple(vec![Value::Float(slope), Value::Float(intercept)])
}
