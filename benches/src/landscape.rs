//! The services of the shop and where they run: resources and scopes, encoded once.

use crate::config::GeneratorConfig;
use crate::random::mix;
use crate::wire::{Value, put_attribute, put_bytes};

/// Instances of each service.
pub(crate) const INSTANCES: u64 = 3;

const SERVICES: [(&str, &str, &str); 12] = [
    ("frontend", "nodejs", "@opentelemetry/instrumentation-http"),
    (
        "checkout",
        "go",
        "go.opentelemetry.io/contrib/net/http/otelhttp",
    ),
    ("cart", "dotnet", "OpenTelemetry.Instrumentation.AspNetCore"),
    ("payment", "java", "io.opentelemetry.spring-webmvc-6.0"),
    ("shipping", "rust", "actix-web-opentelemetry"),
    (
        "catalog",
        "go",
        "go.opentelemetry.io/contrib/google.golang.org/grpc/otelgrpc",
    ),
    (
        "recommendation",
        "python",
        "opentelemetry.instrumentation.fastapi",
    ),
    ("currency", "cpp", "currency-service"),
    ("email", "ruby", "OpenTelemetry::Instrumentation::Sinatra"),
    ("ad", "java", "io.opentelemetry.grpc-1.6"),
    (
        "fraud-detection",
        "java",
        "io.opentelemetry.kafka-clients-0.11",
    ),
    ("quote", "php", "io.opentelemetry.contrib.php.slim"),
];

/// One service's three instances, encoded.
#[derive(Debug)]
pub(crate) struct Service {
    /// `ResourceLogs.resource` / `ResourceSpans.resource` of each instance: field 1 with its bytes.
    pub(crate) resources: Vec<Vec<u8>>,
    /// `ScopeLogs.scope` / `ScopeSpans.scope`: field 1 with its bytes.
    pub(crate) scope: Vec<u8>,
}

/// All services.
#[derive(Debug)]
pub struct Landscape {
    pub(crate) services: Vec<Service>,
}

impl Landscape {
    /// Builds the services of `config`.
    #[must_use]
    pub fn new(config: &GeneratorConfig) -> Self {
        let services = (0..config.services.max(1)).map(|number| service(number, config.seed));
        Self {
            services: services.collect(),
        }
    }
}

fn service(number: u64, seed: u64) -> Service {
    let kinds = u64::try_from(SERVICES.len()).unwrap_or(1);
    let kind = usize::try_from(number % kinds).unwrap_or(0);
    let (base, language, scope_name) = SERVICES[kind];
    let name = match number / kinds {
        0 => base.to_owned(),
        copy => format!("{base}-{copy}"),
    };
    let mut scope = Vec::new();
    put_bytes(&mut scope, 1, scope_name.as_bytes());
    put_bytes(
        &mut scope,
        2,
        format!("1.{}.0", mix(seed ^ number) % 40).as_bytes(),
    );
    Service {
        resources: (0..INSTANCES)
            .map(|instance| field_one(&resource(&name, language, instance, mix(seed ^ number))))
            .collect(),
        scope: field_one(&scope),
    }
}

fn field_one(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    put_bytes(&mut out, 1, bytes);
    out
}

fn resource(name: &str, language: &str, instance: u64, salt: u64) -> Vec<u8> {
    let host = format!(
        "node-{:02}.eu-central-1.shop.internal",
        mix(salt + instance) % 24
    );
    let pod = format!(
        "{name}-{:08x}-{:05x}",
        salt >> 32,
        mix(salt ^ instance) >> 44
    );
    let instance_id = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        salt >> 32,
        (salt >> 16) & 0xffff,
        salt & 0xfff,
        instance,
        mix(salt ^ (instance + 7)) >> 16
    );
    let attributes = [
        ("service.name", name),
        ("service.namespace", "shop"),
        (
            "service.version",
            if instance == 0 { "2.14.0" } else { "2.13.7" },
        ),
        ("service.instance.id", &instance_id),
        ("deployment.environment.name", "production"),
        ("host.name", &host),
        ("k8s.namespace.name", "shop-prod"),
        ("k8s.pod.name", &pod),
        ("telemetry.sdk.language", language),
        (
            "cloud.availability_zone",
            ["eu-central-1a", "eu-central-1b"][usize::from(instance > 0)],
        ),
    ];
    let mut out = Vec::new();
    for (key, value) in attributes {
        put_attribute(&mut out, 1, key, Value::Text(value.as_bytes()));
    }
    out
}
