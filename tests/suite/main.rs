//! The end-to-end suite: drives the built server over its ports as clients do. One binary, because
//! each further one would link the whole engine again. Slower rounds: `CAIRN_CRASH_ROUNDS=200`.

#[cfg(test)]
mod access;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod collector;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
mod disk;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod http;
#[cfg(test)]
mod insert;
#[cfg(test)]
mod install;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod otlp_json;
#[cfg(test)]
mod python_sdk;
#[cfg(test)]
mod senders;
#[cfg(test)]
mod server;
