//! Hashes of any values, the same numbers as ClickHouse's.

mod city;
mod mix;
mod murmur;
mod values;

use datafusion::arrow::array::UInt32Array;
use datafusion::arrow::array::UInt64Array;
use datafusion::arrow::datatypes::{Int32Type, UInt32Type, UInt64Type};
use md5::{Digest, Md5};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::sync::Arc;

use city::{city_hash_64, combine_128};
use mix::{salted_32, salted_64};
use values::{Algorithm, Numbers as How, hashes};

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Numbers, Texts, numbers};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("cityHash64", (0, MANY), |call| wide(call, &CITY)),
    strict("sipHash64", (0, MANY), |call| wide(call, &SIP)),
    strict("xxHash64", (0, MANY), |call| wide(call, &XX64)),
    strict("xxh3", (0, MANY), |call| wide(call, &XX3)),
    strict("xxHash32", (0, MANY), |call| narrow(call, &XX32)),
    strict("murmurHash2_64", (0, MANY), |call| wide(call, &MURMUR2_64)),
    strict("murmurHash2_32", (0, MANY), |call| {
        narrow(call, &MURMUR2_32)
    }),
    strict("murmurHash3_64", (0, MANY), |call| wide(call, &MURMUR3_64)),
    strict("murmurHash3_32", (0, MANY), |call| {
        narrow(call, &MURMUR3_32)
    }),
    strict("halfMD5", (1, MANY), |call| wide(call, &HALF_MD5)),
    strict("intHash32", (1, 1), |call| {
        call.want_integer(&[0])?;
        Ok(Resolved::new(Type::UInt32, |cols, rows| {
            let values = Numbers::<UInt64Type>::of(cols, 0)?;
            numbers::<UInt32Type>(cols, rows, |row| Ok(salted_32(values.get(row))))
        }))
    }),
    strict("intHash64", (1, 1), |call| {
        call.want_integer(&[0])?;
        Ok(Resolved::new(Type::UInt64, |cols, rows| {
            let values = Numbers::<UInt64Type>::of(cols, 0)?;
            numbers::<UInt64Type>(cols, rows, |row| Ok(salted_64(values.get(row))))
        }))
    }),
    strict("javaHash", (1, 1), |call| java(call, 0)),
    strict("hiveHash", (1, 1), |call| java(call, i32::MAX)),
    strict("CRC32", (1, 1), |call| crc(call, 0xedb8_8320, true)).any_case(),
    strict("CRC32IEEE", (1, 1), |call| crc(call, 0xedb8_8320, false)).any_case(),
];

static CITY: Algorithm = Algorithm {
    bytes: city_hash_64,
    combine: combine_128,
    numbers: How::Mixed64,
};
static SIP: Algorithm = Algorithm {
    bytes: sip,
    combine: |a, b| sip(&pair(a, b)),
    numbers: How::Bytes,
};
static XX64: Algorithm = Algorithm {
    bytes: |bytes| xxhash_rust::xxh64::xxh64(bytes, 0),
    combine: combine_128,
    numbers: How::Bytes,
};
static XX3: Algorithm = Algorithm {
    bytes: xxhash_rust::xxh3::xxh3_64,
    combine: combine_128,
    numbers: How::Bytes,
};
static XX32: Algorithm = Algorithm {
    bytes: |bytes| xxhash_rust::xxh32::xxh32(bytes, 0).into(),
    combine: |a, b| u64::from(salted_32(a)) ^ b,
    numbers: How::Bytes,
};
static MURMUR2_64: Algorithm = Algorithm {
    bytes: murmur::murmur_2_64,
    combine: |a, b| salted_64(a) ^ b,
    numbers: How::Bytes,
};
static MURMUR2_32: Algorithm = Algorithm {
    bytes: |bytes| murmur::murmur_2_32(bytes).into(),
    combine: |a, b| u64::from(salted_32(a)) ^ b,
    numbers: How::Bytes,
};
static MURMUR3_64: Algorithm = Algorithm {
    bytes: murmur::murmur_3_64,
    combine: |a, b| salted_64(a) ^ b,
    numbers: How::Bytes,
};
static MURMUR3_32: Algorithm = Algorithm {
    bytes: |bytes| murmur::murmur_3_32(bytes).into(),
    combine: |a, b| u64::from(salted_32(a)) ^ b,
    numbers: How::Bytes,
};
static HALF_MD5: Algorithm = Algorithm {
    bytes: half_md5,
    combine: |a, b| half_md5(&pair(a, b)),
    numbers: How::Mixed64,
};

fn pair(a: u64, b: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes
        .iter_mut()
        .zip(a.to_le_bytes().into_iter().chain(b.to_le_bytes()))
    {
        *to = from;
    }
    bytes
}

fn sip(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(0, 0);
    hasher.write(bytes);
    hasher.finish()
}

fn half_md5(bytes: &[u8]) -> u64 {
    let digest = Md5::digest(bytes);
    digest
        .iter()
        .take(8)
        .fold(0, |half, byte| half << 8 | u64::from(*byte))
}

fn types_of(call: &Call<'_>) -> Vec<Type> {
    call.args.iter().map(|arg| arg.ty.clone()).collect()
}

fn wide(call: &Call<'_>, algorithm: &'static Algorithm) -> Result<Resolved> {
    let types = types_of(call);
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let values = hashes(algorithm, &types, cols, rows)?;
        let mask = crate::functions::rows::validity(cols, rows);
        Ok(Arc::new(UInt64Array::new(values.into(), mask)))
    }))
}

fn narrow(call: &Call<'_>, algorithm: &'static Algorithm) -> Result<Resolved> {
    let types = types_of(call);
    Ok(Resolved::new(Type::UInt32, move |cols, rows| {
        let values = hashes(algorithm, &types, cols, rows)?;
        let low = |hash: &u64| u32::try_from(hash & 0xffff_ffff).unwrap_or(0);
        let low: Vec<u32> = values.iter().map(low).collect();
        let mask = crate::functions::rows::validity(cols, rows);
        Ok(Arc::new(UInt32Array::new(low.into(), mask)))
    }))
}

/// 31-based polynomial, bits of the result kept by `mask` (0: all).
fn java(call: &Call<'_>, mask: i32) -> Result<Resolved> {
    call.want_text(&[0])?;
    let mask = if mask == 0 { -1 } else { mask };
    Ok(Resolved::new(Type::Int32, move |cols, rows| {
        let texts = Texts::of(cols, 0)?;
        numbers::<Int32Type>(cols, rows, |row| {
            let step = |hash: i32, byte: u8| {
                hash.wrapping_mul(31)
                    .wrapping_add(i32::from(byte.cast_signed()))
            };
            Ok(texts.get(row).bytes().fold(0, step) & mask)
        })
    }))
}

fn crc(call: &Call<'_>, polynomial: u32, inverted: bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| {
            (0..8).fold(byte, |rest, _| {
                if rest & 1 == 1 {
                    rest >> 1 ^ polynomial
                } else {
                    rest >> 1
                }
            })
        })
        .collect();
    let start = if inverted { u32::MAX } else { 0 };
    Ok(Resolved::new(Type::UInt32, move |cols, rows| {
        let texts = Texts::of(cols, 0)?;
        numbers::<UInt32Type>(cols, rows, |row| {
            let step = |sum: u32, byte: u8| {
                let at = usize::from(sum.to_le_bytes().first().copied().unwrap_or(0) ^ byte);
                sum >> 8 ^ table.get(at).copied().unwrap_or(0)
            };
            Ok(texts.get(row).bytes().fold(start, step) ^ start)
        })
    }))
}
