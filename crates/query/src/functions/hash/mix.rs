//! Mixing of integers.

/// A 64-bit finaliser, as MurmurHash has it: every bit of the number moves about half of the result's.
pub(super) fn int_hash_64(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ x >> 33
}

/// What ClickHouse makes of a number: salted since its first release.
pub(super) fn salted_64(x: u64) -> u64 {
    int_hash_64(x ^ 0x4cf2_d2ba_ae6d_a887)
}

/// 64 bits to 32, salted as well.
pub(super) fn salted_32(mut key: u64) -> u32 {
    key ^= 0x75d9_543d_e018_bf45;
    key = (!key).wrapping_add(key << 18);
    key ^= key.rotate_right(31);
    key = key.wrapping_mul(21);
    key ^= key.rotate_right(11);
    key = key.wrapping_add(key << 6);
    key ^= key.rotate_right(22);
    u32::try_from(key & 0xffff_ffff).unwrap_or(0)
}
