//! Conversions between types: `toX`, `toXOrZero/OrNull/OrDefault`, CAST, `toString`.

mod cast;
mod entries;
mod read;
mod to_text;

pub(crate) use cast::{Caster, caster};
pub(super) use entries::{FAMILIES, common};
pub(crate) use read::{OnBad, convert_texts};
pub(crate) use to_text::{float_text, write_value};
