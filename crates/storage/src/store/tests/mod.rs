//! The store as a whole: on scripted disks, across crashes, and on the real disk.

mod basics;
mod commit;
mod compaction;
mod damage;
mod faults;
mod model;
mod offline;
mod retention;
mod support;
