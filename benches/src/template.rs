//! Log messages with gaps: `user {user} paid {money}`. Parsed once, rendered without allocation.

use crate::random::Random;
use crate::wire::{put_decimal, put_hex};

/// A message and what goes with it.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) severity: Severity,
    parts: Vec<Part>,
    /// Keys of the attributes; the kind of value follows from the key.
    pub(crate) attributes: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Debug)]
enum Part {
    Text(&'static str),
    Number,
    Millis,
    Hex,
    User,
    Order,
    Address,
    Money,
    Word,
}

const WORDS: [&str; 16] = [
    "telescope",
    "binoculars",
    "tripod",
    "eyepiece",
    "finder",
    "mount",
    "lens",
    "filter",
    "camera",
    "dome",
    "counterweight",
    "battery",
    "cable",
    "case",
    "mirror",
    "prism",
];

impl Severity {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl Template {
    fn parse(severity: Severity, text: &'static str, attributes: &'static [&'static str]) -> Self {
        let mut parts = Vec::new();
        for piece in text.split_inclusive('}') {
            match piece.rsplit_once('{') {
                Some((before, gap)) => {
                    parts.push(Part::Text(before));
                    parts.push(gap_of(gap));
                }
                None => parts.push(Part::Text(piece)),
            }
        }
        Self {
            severity,
            parts,
            attributes,
        }
    }

    /// Appends the message with its gaps filled.
    pub(crate) fn render(&self, out: &mut Vec<u8>, random: &mut Random, cardinality: u64) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Number => put_decimal(out, random.below(1_000_000)),
                Part::Millis => put_decimal(out, random.below(5_000)),
                Part::Hex => put_hex(out, random.next(), 12),
                Part::User => put_decimal(out, random.below(cardinality)),
                Part::Order => put_decimal(out, 1_000_000 + random.below(cardinality)),
                Part::Word => out.extend_from_slice(WORDS[random.index(WORDS.len())].as_bytes()),
                Part::Money => {
                    put_decimal(out, random.below(900));
                    out.push(b'.');
                    put_decimal(out, 10 + random.below(90));
                }
                Part::Address => {
                    out.extend_from_slice(b"10.42.");
                    put_decimal(out, random.below(16));
                    out.push(b'.');
                    put_decimal(out, random.below(256));
                }
            }
        }
    }
}

fn gap_of(gap: &str) -> Part {
    match gap {
        "ms}" => Part::Millis,
        "hex}" => Part::Hex,
        "user}" => Part::User,
        "order}" => Part::Order,
        "ip}" => Part::Address,
        "money}" => Part::Money,
        "word}" => Part::Word,
        _ => Part::Number,
    }
}

const REQUEST: &[&str] = &[
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "duration_ms",
    "user.id",
];
const ORDER: &[&str] = &[
    "order.id",
    "user.id",
    "payment.provider",
    "amount",
    "thread.name",
];
const CACHE: &[&str] = &[
    "cache.key",
    "cache.hit",
    "thread.name",
    "code.function.name",
];
const FAULT: &[&str] = &[
    "exception.type",
    "exception.message",
    "retry.count",
    "peer.address",
    "order.id",
    "user.id",
];

/// Every template; the first ones are as frequent as the last, severities are chosen before.
pub(crate) fn templates() -> Vec<Template> {
    use Severity::{Debug, Error, Info, Warn};
    [
        (Info, "HTTP request finished: GET /api/v1/products/{n}/details from {ip} with status 200 in {ms} ms, {n} bytes sent, upstream catalog answered in {ms} ms, session {hex}", REQUEST),
        (Info, "order {order} of user {user} accepted: {n} items, total {money} EUR, shipping quote {money} EUR, payment authorised by provider in {ms} ms, confirmation queued as message {hex}", ORDER),
        (Info, "payment for order {order} captured: amount {money} EUR, card ending in {n}, provider reference {hex}, risk score {n}, duration {ms} ms, attempt 1 of 3", ORDER),
        (Info, "cart of user {user} updated: added {word} x {n}, removed {word}, new total {money} EUR, cart version {n}, stored in {ms} ms on node {ip}", ORDER),
        (Info, "shipment {hex} for order {order} handed to carrier, parcel weight {n} g, destination zone {n}, label printed in {ms} ms, estimated delivery in {n} hours", ORDER),
        (Info, "recommendation list computed for user {user}: {n} candidates, model version {n}, top product {word}, scored in {ms} ms, feature cache {n} hits", CACHE),
        (Info, "consumer group fulfilment committed offset {n} on partition {n} of topic orders, lag {n} messages, batch of {n} records handled in {ms} ms", CACHE),
        (Info, "{\"event\":\"checkout\",\"user\":{user},\"order\":{order},\"total\":{money},\"items\":{n},\"latency_ms\":{ms},\"client\":\"{ip}\",\"trace\":\"{hex}\"}", ORDER),
        (Info, "user {user} signed in from {ip} using password, session {hex} valid for {n} seconds, last seen {n} minutes ago, two-factor check passed in {ms} ms", REQUEST),
        (Debug, "cache lookup for key product:{n}:{word} took {ms} us: hit in shard {n}, entry age {n} s, size {n} bytes, version {hex}, refreshed in background", CACHE),
        (Debug, "connection pool: {n} open, {n} idle, {n} waiting, oldest waiter {ms} ms, checkout of connection {hex} to {ip} took {ms} us, statement cache {n} entries", CACHE),
        (Debug, "currency rates refreshed: {n} pairs from provider, base EUR, spread {n} basis points, next refresh in {n} s, snapshot {hex} stored in {ms} ms", CACHE),
        (Debug, "template mail/order_confirmation rendered for order {order} in {ms} ms, {n} bytes, language de, locale cache {n} entries, request {hex}", REQUEST),
        (Warn, "slow query on products: SELECT by category took {ms} ms and read {n} rows, plan hash {hex}, connection to {ip}, threshold is 500 ms, cache bypassed", REQUEST),
        (Warn, "payment provider answered 429 for order {order}, backing off {ms} ms before attempt {n}, circuit breaker half open, {n} requests waiting, peer {ip}", FAULT),
        (Warn, "stock of {word} is low: {n} left in warehouse {n}, reorder level {n}, supplier lead time {n} days, last delivery {hex}, checked for order {order}", ORDER),
        (Error, "charging order {order} failed: card refused by issuer with code {n}, user {user}, amount {money} EUR, provider reference {hex}, giving up after 3 attempts in {ms} ms", FAULT),
        (Error, "connection to {ip}:5432 reset by peer while reading result of statement {hex}: {n} rows received in {ms} ms, transaction of order {order} rolled back", FAULT),
        (Error, "unhandled exception in request {hex} of user {user}: java.lang.IllegalStateException: inventory version {n} is older than {n}\n\tat shop.inventory.Ledger.apply(Ledger.java:{n})\n\tat shop.inventory.Worker.run(Worker.java:{n})", FAULT),
    ]
    .into_iter()
    .map(|(severity, text, attributes)| Template::parse(severity, text, attributes))
    .collect()
}
