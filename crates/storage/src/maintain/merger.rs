//! The thread that joins small chunks of the active memtables, so that a scan does not meet thousands of tiny batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::ids::TableId;
use crate::live::Live;

/// The merging thread.
#[derive(Debug)]
pub(crate) struct Merger {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wish {
    look: bool,
    stop: bool,
}

impl Merger {
    pub(crate) fn start(live: Arc<Live>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("cairn-merge".to_owned())
            .spawn(move || {
                // Without merging everything still works, only slower: not worth refusing writes for.
                if catch_unwind(AssertUnwindSafe(|| run(&for_thread, &live))).is_err() {
                    tracing::error!("the merging thread died; scans of fresh rows get slower");
                }
            })
            .map_err(|source| Error::Io {
                op: "start",
                path: "the merging thread".into(),
                source,
            })?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Lets the thread look for small chunks.
    pub(crate) fn wake(&self) {
        self.shared.wish.lock().look = true;
        self.shared.changed.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.shared.wish.lock().stop = true;
        self.shared.changed.notify_one();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the merging thread died");
        }
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(shared: &Shared, live: &Live) {
    loop {
        let mut wish = shared.wish.lock();
        while !wish.look && !wish.stop {
            shared.changed.wait(&mut wish);
        }
        if wish.stop {
            return;
        }
        wish.look = false;
        drop(wish);
        for table in TableId::ALL {
            while let Some(task) = live.merge_task(table) {
                if let Err(error) = live.merge(table, task) {
                    tracing::error!(%table, %error, "cannot merge chunks of a memtable");
                    break;
                }
            }
        }
    }
}
