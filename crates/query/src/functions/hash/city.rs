//! CityHash64 as of its version 1.0.2, which later versions do not agree with.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;

fn word(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    u64::from_le_bytes(eight.unwrap_or_default())
}

fn half(bytes: &[u8], at: usize) -> u64 {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    u64::from(u32::from_le_bytes(four.unwrap_or_default()))
}

fn byte(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at).copied().map_or(0, u32::from)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn shift_mix(value: u64) -> u64 {
    value ^ value >> 47
}

/// Two hashes as one.
pub(super) fn combine_128(low: u64, high: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9ddf_ea08_eb38_2d69;
    let a = shift_mix((low ^ high).wrapping_mul(MULTIPLIER));
    let b = shift_mix((high ^ a).wrapping_mul(MULTIPLIER));
    b.wrapping_mul(MULTIPLIER)
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let count = bytes.len();
    if count > 8 {
        let (a, b) = (word(bytes, 0), word(bytes, count - 8));
        let turned = b
            .wrapping_add(length(bytes))
            .rotate_right(u32::try_from(count).unwrap_or(0));
        return combine_128(a, turned) ^ b;
    }
    if count >= 4 {
        let first = length(bytes).wrapping_add(half(bytes, 0) << 3);
        return combine_128(first, half(bytes, count - 4));
    }
    if count > 0 {
        let (a, b, c) = (
            byte(bytes, 0),
            byte(bytes, count >> 1),
            byte(bytes, count - 1),
        );
        let y = u64::from(a.wrapping_add(b << 8));
        let z = length(bytes).wrapping_add(u64::from(c << 2));
        return shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K3)).wrapping_mul(K2);
    }
    K2
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let count = bytes.len();
    let a = word(bytes, 0).wrapping_mul(K1);
    let b = word(bytes, 8);
    let c = word(bytes, count - 8).wrapping_mul(K2);
    let d = word(bytes, count - 16).wrapping_mul(K0);
    combine_128(
        a.wrapping_sub(b)
            .rotate_right(43)
            .wrapping_add(c.rotate_right(30))
            .wrapping_add(d),
        a.wrapping_add((b ^ K3).rotate_right(20))
            .wrapping_sub(c)
            .wrapping_add(length(bytes)),
    )
}

/// Half of the hash of 33 to 64 bytes: a sum and its seed.
fn thirty_two(bytes: &[u8], at: usize, first: u64, z: u64) -> (u64, u64) {
    let mut a = first;
    let b = a.wrapping_add(z).rotate_right(52);
    let mut c = a.rotate_right(37);
    a = a.wrapping_add(word(bytes, at + 8));
    c = c.wrapping_add(a.rotate_right(7));
    a = a.wrapping_add(word(bytes, at + 16));
    (
        a.wrapping_add(z),
        b.wrapping_add(a.rotate_right(31)).wrapping_add(c),
    )
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let count = bytes.len();
    let first = word(bytes, 0).wrapping_add(
        length(bytes)
            .wrapping_add(word(bytes, count - 16))
            .wrapping_mul(K0),
    );
    let (vf, vs) = thirty_two(bytes, 0, first, word(bytes, 24));
    let first = word(bytes, 16).wrapping_add(word(bytes, count - 32));
    let (wf, ws) = thirty_two(bytes, count - 32, first, word(bytes, count - 8));
    let r = shift_mix(
        vf.wrapping_add(ws)
            .wrapping_mul(K2)
            .wrapping_add(wf.wrapping_add(vs).wrapping_mul(K0)),
    );
    shift_mix(r.wrapping_mul(K0).wrapping_add(vs)).wrapping_mul(K2)
}

fn weak(bytes: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let (w, x, y, z) = (
        word(bytes, at),
        word(bytes, at + 8),
        word(bytes, at + 16),
        word(bytes, at + 24),
    );
    let mut a = a.wrapping_add(w);
    let mut b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    a = a.wrapping_add(x).wrapping_add(y);
    b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

fn long(bytes: &[u8]) -> u64 {
    let count = bytes.len();
    let mut x = word(bytes, 0);
    let mut y = word(bytes, count - 16) ^ K1;
    let mut z = word(bytes, count - 56) ^ K0;
    let mut v = weak(bytes, count - 64, length(bytes), y);
    let mut w = weak(bytes, count - 32, length(bytes).wrapping_mul(K1), K0);
    z = z.wrapping_add(shift_mix(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(count - 1) & !63).step_by(64) {
        x = x
            .wrapping_add(y)
            .wrapping_add(v.0)
            .wrapping_add(word(bytes, at + 16))
            .rotate_right(37)
            .wrapping_mul(K1);
        y = y
            .wrapping_add(v.1)
            .wrapping_add(word(bytes, at + 48))
            .rotate_right(42)
            .wrapping_mul(K1);
        x ^= w.1;
        y ^= v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak(bytes, at, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = weak(bytes, at + 32, z.wrapping_add(w.1), y);
        std::mem::swap(&mut z, &mut x);
    }
    combine_128(
        combine_128(v.0, w.0)
            .wrapping_add(shift_mix(y).wrapping_mul(K1))
            .wrapping_add(z),
        combine_128(v.1, w.1).wrapping_add(x),
    )
}

/// The hash of some bytes.
pub(super) fn city_hash_64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => long(bytes),
    }
}
