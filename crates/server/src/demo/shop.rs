//! The made-up shop: visits of its customers as trees of spans with log lines. Pure: time and chance come in.

use rand::Rng;
use rand::rngs::StdRng;

/// Nanoseconds in a microsecond, the unit of the shop's durations.
const MICROS: i64 = 1_000;

/// What one customer did: spans of several services and the lines they logged.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) trace_id: u128,
    pub(super) spans: Vec<Span>,
    pub(super) lines: Vec<Line>,
}

/// One span. Its id is its place in [`Visit::spans`] joined with the trace.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) service: Service,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) start_nanos: i64,
    pub(super) end_nanos: i64,
    /// Why it failed.
    pub(super) error: Option<&'static str>,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

/// One log line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) span: u64,
    pub(super) service: Service,
    pub(super) time_nanos: i64,
    pub(super) level: Level,
    pub(super) body: String,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

/// An attribute value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// Level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Client,
    Producer,
    Consumer,
}

/// The shop's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Storefront,
    Catalog,
    Cart,
    Checkout,
    Payments,
    Shipping,
}

impl Service {
    pub(super) const ALL: [Self; 6] = [
        Self::Storefront,
        Self::Catalog,
        Self::Cart,
        Self::Checkout,
        Self::Payments,
        Self::Shipping,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Storefront => "storefront",
            Self::Catalog => "catalog",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Payments => "payments",
            Self::Shipping => "shipping",
        }
    }

    pub(super) fn language(self) -> &'static str {
        match self {
            Self::Storefront => "nodejs",
            Self::Catalog | Self::Shipping => "go",
            Self::Cart => "python",
            Self::Checkout => "java",
            Self::Payments => "rust",
        }
    }
}

const PRODUCTS: [&str; 8] = [
    "enamel mug",
    "wool blanket",
    "desk lamp",
    "field notebook",
    "rain jacket",
    "tea kettle",
    "bike bell",
    "oak stool",
];
const PROVIDERS: [&str; 3] = ["northpay", "cardhub", "swiftbank"];
const COUNTRIES: [&str; 5] = ["NO", "DE", "FR", "NL", "PL"];

/// One visit that begins at `start_nanos`; `payments_are_ill` is the shop's incident.
pub(super) fn visit(rng: &mut StdRng, start_nanos: i64, payments_are_ill: bool) -> Visit {
    let mut tale = Tale {
        visit: Visit {
            trace_id: rng.random(),
            spans: Vec::new(),
            lines: Vec::new(),
        },
        rng,
    };
    match tale.rng.random_range(0..100) {
        0..45 => tale.browse(start_nanos),
        45..70 => tale.search(start_nanos),
        70..85 => tale.add_to_cart(start_nanos),
        _ => tale.check_out(start_nanos, payments_are_ill),
    }
    tale.visit
}

/// What a customer buys.
#[derive(Debug, Clone, Copy)]
struct Order {
    id: i64,
    provider: &'static str,
    country: &'static str,
    euros: i64,
}

/// A visit while it is being told.
struct Tale<'a> {
    visit: Visit,
    rng: &'a mut StdRng,
}

impl Tale<'_> {
    fn browse(&mut self, start: i64) {
        let product = self.product();
        let lookup = self.micros(2_000, 30_000);
        let root = self.span(
            None,
            Service::Storefront,
            "GET /product/{id}",
            Kind::Server,
            start,
        );
        let call = self.span(
            Some(root),
            Service::Catalog,
            "catalog.GetProduct",
            Kind::Server,
            start + 900 * MICROS,
        );
        let query = self.span(
            Some(call),
            Service::Catalog,
            "SELECT products",
            Kind::Client,
            start + 1_400 * MICROS,
        );
        self.attribute(query, "db.system.name", text("postgresql"));
        self.end(query, start + 1_400 * MICROS + lookup);
        self.end(call, start + 1_900 * MICROS + lookup);
        if lookup > 25_000 * MICROS {
            let body = format!("slow query: SELECT products took {} ms", lookup / 1_000_000);
            self.line(call, Level::Warn, start + 1_800 * MICROS + lookup, body);
        }
        self.end_request(root, start, lookup + 3_500 * MICROS, "/product/{id}", 200);
        self.line(
            root,
            Level::Info,
            start + lookup,
            format!("viewed {product}"),
        );
    }

    fn search(&mut self, start: i64) {
        let product = self.product();
        let hits = self.rng.random_range(0..40_i64);
        let took = self.micros(4_000, 60_000);
        let root = self.span(
            None,
            Service::Storefront,
            "GET /search",
            Kind::Server,
            start,
        );
        let call = self.span(
            Some(root),
            Service::Catalog,
            "catalog.Search",
            Kind::Server,
            start + 700 * MICROS,
        );
        self.attribute(call, "search.hits", Value::Number(hits));
        self.end(call, start + 700 * MICROS + took);
        self.end_request(root, start, took + 2_000 * MICROS, "/search", 200);
        let body = format!("search for \"{product}\" found {hits} products");
        self.line(call, Level::Info, start + took, body);
        if hits == 0 {
            let body = format!("no results for \"{product}\"");
            self.line(root, Level::Warn, start + took, body);
        }
    }

    fn add_to_cart(&mut self, start: i64) {
        let product = self.product();
        let took = self.micros(1_000, 9_000);
        let root = self.span(None, Service::Storefront, "POST /cart", Kind::Server, start);
        let call = self.span(
            Some(root),
            Service::Cart,
            "cart.AddItem",
            Kind::Server,
            start + 600 * MICROS,
        );
        let store = self.span(
            Some(call),
            Service::Cart,
            "HSET cart",
            Kind::Client,
            start + 900 * MICROS,
        );
        self.attribute(store, "db.system.name", text("redis"));
        self.end(store, start + 900 * MICROS + took / 2);
        self.end(call, start + 700 * MICROS + took);
        self.end_request(root, start, took + 1_500 * MICROS, "/cart", 200);
        let quantity = self.rng.random_range(1..4_i64);
        // A JSON body: its fields become attributes of the stored record.
        let body = format!(
            "{{\"event\":\"item added\",\"product\":\"{product}\",\"quantity\":{quantity}}}"
        );
        self.line(call, Level::Info, start + took, body);
    }

    fn check_out(&mut self, start: i64, payments_are_ill: bool) {
        let order = self.order();
        let fails = if payments_are_ill && order.provider == "northpay" {
            self.rng.random_bool(0.8)
        } else {
            self.rng.random_bool(0.02)
        };
        let pay = if fails {
            self.micros(2_900_000, 3_100_000)
        } else {
            self.micros(40_000, 300_000)
        };
        let root = self.span(
            None,
            Service::Storefront,
            "POST /checkout",
            Kind::Server,
            start,
        );
        let at = start + 800 * MICROS;
        let call = self.span(
            Some(root),
            Service::Checkout,
            "checkout.PlaceOrder",
            Kind::Server,
            at,
        );
        self.attribute(call, "shop.order_id", Value::Number(order.id));
        self.attribute(call, "shop.country", text(order.country));
        let at = start + 1_500 * MICROS;
        let cart = self.span(Some(call), Service::Cart, "cart.Get", Kind::Server, at);
        self.end(cart, start + 4_000 * MICROS);
        let Order {
            id, country, euros, ..
        } = order;
        let placing = format!("placing order {id} to {country}, {euros} EUR");
        self.line(call, Level::Info, start + 2_000 * MICROS, placing);
        let done = start + 5_000 * MICROS + pay;
        self.pay(call, order, start + 5_000 * MICROS, done, fails);
        if fails {
            self.fail(call, done + 900 * MICROS, "order could not be paid");
            let body = format!("order {id} rolled back, customer sees an apology");
            self.line(call, Level::Warn, done + 700 * MICROS, body);
            self.end_request(root, start, pay + 8_000 * MICROS, "/checkout", 502);
            let body = "POST /checkout answered 502".to_owned();
            self.line(root, Level::Error, done + 1_000 * MICROS, body);
        } else {
            self.end(call, done + 1_200 * MICROS);
            self.end_request(root, start, pay + 9_000 * MICROS, "/checkout", 200);
            self.ship(call, order, done + 300 * MICROS);
        }
    }

    fn pay(&mut self, call: u64, order: Order, start: i64, done: i64, fails: bool) {
        let Order {
            id,
            provider,
            euros,
            ..
        } = order;
        let charge = self.span(
            Some(call),
            Service::Payments,
            "payments.Charge",
            Kind::Server,
            start,
        );
        self.attribute(charge, "payment.provider", text(provider));
        self.attribute(charge, "payment.amount_eur", Value::Number(euros));
        let sent = start + 500 * MICROS;
        let gateway = self.span(
            Some(charge),
            Service::Payments,
            "POST /v2/charges",
            Kind::Client,
            sent,
        );
        let address = Value::Text(format!("api.{provider}.example"));
        self.attribute(gateway, "server.address", address);
        let (level, body) = if fails {
            self.fail(gateway, done, "deadline exceeded after 3 s");
            self.fail(charge, done + 200 * MICROS, "payment provider timed out");
            let body = format!("charge of order {id} failed: {provider} did not answer within 3 s");
            (Level::Error, body)
        } else {
            self.end(gateway, done - 300 * MICROS);
            self.end(charge, done);
            let body = format!("charged {euros} EUR for order {id} through {provider}");
            (Level::Info, body)
        };
        self.line(charge, level, done, body);
        if let Some(line) = self.visit.lines.last_mut() {
            line.attributes.push(("payment.provider", text(provider)));
            line.attributes.push(("shop.order_id", Value::Number(id)));
        }
    }

    /// The part that goes through a queue: it begins when the customer has long had an answer.
    fn ship(&mut self, call: u64, order: Order, start: i64) {
        let Order { id, country, .. } = order;
        let publish = self.span(
            Some(call),
            Service::Checkout,
            "publish orders",
            Kind::Producer,
            start,
        );
        self.end(publish, start + 600 * MICROS);
        let at = start + self.micros(20_000, 900_000);
        let ship = self.span(
            Some(publish),
            Service::Shipping,
            "process orders",
            Kind::Consumer,
            at,
        );
        self.end(ship, at + 12_000 * MICROS);
        let body = format!("parcel for order {id} booked to {country}");
        self.line(ship, Level::Info, at + 10_000 * MICROS, body);
        let body = format!("label printed for {id}");
        self.line(ship, Level::Debug, at + 11_000 * MICROS, body);
    }

    fn order(&mut self) -> Order {
        Order {
            id: self.rng.random_range(100_000..1_000_000_i64),
            provider: PROVIDERS[self.rng.random_range(0..PROVIDERS.len())],
            country: COUNTRIES[self.rng.random_range(0..COUNTRIES.len())],
            euros: self.rng.random_range(9..240_i64),
        }
    }

    fn product(&mut self) -> &'static str {
        PRODUCTS[self.rng.random_range(0..PRODUCTS.len())]
    }

    /// A duration whose small values are the usual ones, in nanoseconds.
    fn micros(&mut self, least: i64, most: i64) -> i64 {
        let spread = most - least;
        let cube = self.rng.random_range(0..=100_i64).pow(3);
        (least + spread * cube / 1_000_000) * MICROS
    }

    fn span(
        &mut self,
        parent: Option<u64>,
        service: Service,
        name: &'static str,
        kind: Kind,
        start_nanos: i64,
    ) -> u64 {
        let id = self.rng.random_range(1..u64::MAX);
        self.visit.spans.push(Span {
            id,
            parent,
            service,
            name,
            kind,
            start_nanos,
            end_nanos: start_nanos,
            error: None,
            attributes: Vec::new(),
        });
        id
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.visit.spans.iter_mut().find(|span| span.id == id) {
            change(span);
        }
    }

    fn attribute(&mut self, id: u64, key: &'static str, value: Value) {
        self.change(id, |span| span.attributes.push((key, value)));
    }

    fn end(&mut self, id: u64, end_nanos: i64) {
        self.change(id, |span| span.end_nanos = end_nanos);
    }

    fn fail(&mut self, id: u64, end_nanos: i64, why: &'static str) {
        self.change(id, |span| {
            span.end_nanos = end_nanos;
            span.error = Some(why);
        });
    }

    fn end_request(&mut self, id: u64, start: i64, took: i64, route: &'static str, status: i64) {
        if status >= 500 {
            self.fail(id, start + took, "bad gateway");
        } else {
            self.end(id, start + took);
        }
        self.attribute(id, "http.route", text(route));
        self.attribute(id, "http.response.status_code", Value::Number(status));
    }

    fn line(&mut self, span: u64, level: Level, time_nanos: i64, body: String) {
        let service = self.visit.spans.iter().find(|one| one.id == span);
        let service = service.map_or(Service::Storefront, |span| span.service);
        self.visit.lines.push(Line {
            span,
            service,
            time_nanos,
            level,
            body,
            attributes: Vec::new(),
        });
    }
}

fn text(text: &'static str) -> Value {
    Value::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_span_has_its_parent_in_the_same_visit_and_every_line_its_span() {
        let mut rng = StdRng::seed_from_u64(1);
        for start in 0..500 {
            let visit = visit(&mut rng, start, start % 2 == 0);
            let ids: Vec<u64> = visit.spans.iter().map(|span| span.id).collect();
            let roots = visit.spans.iter().filter(|span| span.parent.is_none());
            assert_eq!(roots.count(), 1);
            for span in &visit.spans {
                assert!(span.parent.is_none_or(|parent| ids.contains(&parent)));
                assert!(span.end_nanos > span.start_nanos, "{}", span.name);
            }
            for line in &visit.lines {
                assert!(ids.contains(&line.span), "{}", line.body);
            }
        }
    }

    #[test]
    fn the_incident_shows_as_errors_of_payments() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut errors = |ill: bool| {
            let visits = (0..2_000).map(|start| visit(&mut rng, start, ill));
            let lines = visits.flat_map(|visit| visit.lines);
            lines
                .filter(|line| line.level == Level::Error && line.service == Service::Payments)
                .count()
        };
        let (calm, ill) = (errors(false), errors(true));
        assert!(ill > 5 * calm.max(1), "{calm} {ill}");
    }
}
