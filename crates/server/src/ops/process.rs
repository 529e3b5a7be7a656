//! What the kernel says about this process: memory, processor time, open files. Linux only; elsewhere
//! nothing is reported.

/// One reading; `None` for what the kernel does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ProcessReading {
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) open_files: Option<usize>,
}

pub(super) fn read() -> ProcessReading {
    let text = |path: &str| std::fs::read_to_string(path).ok();
    ProcessReading {
        resident_bytes: text("/proc/self/status")
            .as_deref()
            .and_then(resident_bytes),
        cpu_seconds: text("/proc/self/stat").as_deref().and_then(cpu_seconds),
        open_files: std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count),
    }
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// User and system time, fields 14 and 15, in ticks of which Linux always has 100 a second for user space.
fn cpu_seconds(stat: &str) -> Option<f64> {
    // The command's name may hold anything, but it ends at the last parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_understood() {
        assert_eq!(
            resident_bytes("Name:\tx\nVmRSS:\t    2048 kB\n"),
            Some(2 << 20)
        );
        let stat = "1 (a) b) S 0 1 1 0 -1 4194560 10 0 0 0 150 50 0 0 20 0 1 0";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds(""), None);
    }
}
