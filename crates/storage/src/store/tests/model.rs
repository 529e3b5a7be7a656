//! Random histories against a plain list: whatever happens, the store holds exactly what was acknowledged.

use proptest::prelude::*;

use super::support::{Row, append, log, open, rows_of, span};
use crate::io::fault::FaultDisk;

#[derive(Debug, Clone)]
enum Step {
    Append { logs: usize, spans: usize },
    Flush,
    Compact { everything: bool },
    Kill,
    PowerCut(u64),
    CleanStop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_usize..40, 0_usize..4).prop_map(|(logs, spans)| Step::Append { logs, spans }),
        3 => Just(Step::Flush),
        3 => any::<bool>().prop_map(|everything| Step::Compact { everything }),
        1 => Just(Step::Kill),
        1 => any::<u64>().prop_map(Step::PowerCut),
        1 => Just(Step::CleanStop),
    ];
    prop::collection::vec(step, 1..30)
}

async fn run(steps: Vec<Step>) {
    let mut disk = FaultDisk::new();
    let mut store = open(&disk).unwrap();
    let mut expected: Vec<Row> = Vec::new();
    let mut number = 0_i64;
    for step in steps {
        match step {
            Step::Append { logs, spans } => {
                let mut rows = Vec::new();
                for row in 0..logs + spans {
                    number += 1;
                    // Times jump over days in both directions.
                    let at = (number * 37) % 5 * crate::time::NANOS_PER_DAY / 2;
                    let make = if row < logs { log } else { span };
                    rows.push(make(at, number.to_string()));
                }
                append(&store, &rows).await.unwrap();
                expected.extend(rows);
            }
            Step::Flush => store.flush().await.unwrap(),
            Step::Compact { everything } => {
                store.compact(everything).await.unwrap();
            }
            Step::Kill | Step::PowerCut(_) | Step::CleanStop => {
                if matches!(step, Step::CleanStop) {
                    store.shutdown().await.unwrap();
                }
                disk = match step {
                    Step::PowerCut(seed) => disk.crash(Some(seed)),
                    Step::Append { .. }
                    | Step::Flush
                    | Step::Compact { .. }
                    | Step::Kill
                    | Step::CleanStop => disk.kill(),
                };
                store = open(&disk).unwrap();
            }
        }
        expected.sort();
        assert_eq!(rows_of(&store), expected);
        let counted: u64 = crate::ids::TableId::ALL
            .into_iter()
            .map(|table| store.snapshot().row_count(table))
            .sum();
        assert_eq!(counted, u64::try_from(expected.len()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_equals_a_list_of_what_was_acknowledged(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
