//! How much memory the process may plan with when nobody says so: the container's limit, else a
//! share of the machine.

use std::path::Path;

/// Never plan with less: below it the fixed parts of the process do not fit.
const SMALLEST_SHARE_BYTES: u64 = 512 << 20;
/// Never take more of a machine nobody gave us a limit on.
const LARGEST_SHARE_BYTES: u64 = 4 << 30;
/// cgroup v1 writes "no limit" as a number near `i64::MAX`; nothing real is larger than this.
const NO_LIMIT_BYTES: u64 = 1 << 50;

/// The default of `--max-memory-bytes` on this machine.
pub(crate) fn default_memory_bytes() -> u64 {
    let root = Path::new("/");
    share(cgroup_limit_bytes(root), machine_bytes(root))
}

/// A container's limit is taken whole, a machine's memory by a quarter.
fn share(cgroup_bytes: Option<u64>, machine_bytes: Option<u64>) -> u64 {
    let of_machine = machine_bytes.map(|bytes| bytes / 4);
    match cgroup_bytes {
        Some(bytes) if machine_bytes.is_none_or(|machine| bytes < machine) => bytes,
        Some(_) | None => of_machine
            .unwrap_or(SMALLEST_SHARE_BYTES)
            .clamp(SMALLEST_SHARE_BYTES, LARGEST_SHARE_BYTES),
    }
}

/// The smallest limit of the process's cgroup and its parents, version 2 or 1.
fn cgroup_limit_bytes(root: &Path) -> Option<u64> {
    let own = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut limits = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(kind), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (mount, file) = match kind {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if kind.split(',').any(|name| name == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mount = root.join(mount);
        // Inside a container the path is the host's and may not exist here: the mount itself is then ours.
        let own = mount.join(path.trim_start_matches('/'));
        for directory in own.ancestors().take_while(|one| one.starts_with(&mount)) {
            let text = std::fs::read_to_string(directory.join(file)).unwrap_or_default();
            limits.extend(text.trim().parse::<u64>());
        }
    }
    limits
        .into_iter()
        .filter(|&bytes| bytes > 0 && bytes < NO_LIMIT_BYTES)
        .min()
}

fn machine_bytes(root: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_container_limit_is_taken_whole_and_a_machine_by_a_quarter() {
        assert_eq!(share(Some(2 * GIB), Some(64 * GIB)), 2 * GIB);
        assert_eq!(share(None, Some(8 * GIB)), 2 * GIB);
        assert_eq!(share(None, Some(GIB)), 512 << 20);
        assert_eq!(share(None, Some(64 * GIB)), 4 * GIB);
        assert_eq!(share(Some(100 * GIB), Some(8 * GIB)), 2 * GIB);
        assert_eq!(share(None, None), 512 << 20);
    }

    #[test]
    fn the_smallest_limit_up_the_cgroup_tree_counts() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "proc/self/cgroup", "0::/a/b\n");
        write(root.path(), "sys/fs/cgroup/a/b/memory.max", "max\n");
        write(root.path(), "sys/fs/cgroup/a/memory.max", "2147483648\n");
        write(
            root.path(),
            "proc/meminfo",
            "MemTotal:  16384 kB\nMemFree: 1 kB\n",
        );
        assert_eq!(cgroup_limit_bytes(root.path()), Some(2 * GIB));
        assert_eq!(machine_bytes(root.path()), Some(16 << 20));
    }

    #[test]
    fn version_1_limits_are_read_and_its_no_limit_is_none() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "proc/self/cgroup", "5:cpu,memory:/host/path\n");
        let file = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        write(root.path(), file, "1073741824\n");
        assert_eq!(cgroup_limit_bytes(root.path()), Some(GIB));
        write(root.path(), file, "9223372036854771712\n");
        assert_eq!(cgroup_limit_bytes(root.path()), None);
    }
}
