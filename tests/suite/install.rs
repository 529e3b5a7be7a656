//! Programs in other languages for the tests: each is installed once from its ordinary package registry, at pinned
//! versions, and kept in the target folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of `tests/interop`.
pub(crate) fn interop(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("interop")
        .join(name)
}

/// The folder where a program is kept. `install` runs when what is pinned has changed since it was installed; tests
/// that want the same program, also those of another run, wait for the one that installs it.
pub(crate) fn installed(name: &str, pinned: &[PathBuf], install: impl FnOnce(&Path)) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a pinned list can be read");
    let wanted: String = pinned.iter().map(read).collect();
    let marker = home.join("installed.done");
    let lock = File::create(home.with_extension("lock")).expect("the target folder can be written");
    lock.lock().expect("the target folder can lock a file");
    if std::fs::read_to_string(&marker).is_ok_and(|done| done == wanted) {
        return home;
    }
    std::fs::create_dir_all(&home).expect("the target folder can be written");
    install(&home);
    std::fs::write(marker, wanted).expect("the target folder can be written");
    home
}

/// The interpreter of a Python environment with the packages of `interop/NAME/requirements.txt`.
pub(crate) fn python(name: &str) -> PathBuf {
    let list = interop(name).join("requirements.txt");
    let home = installed(
        &format!("python-{name}"),
        std::slice::from_ref(&list),
        |home| {
            let need = "python3 with venv and pip";
            let create = ["-m", "venv", "--clear"];
            run(Command::new("python3").args(create).arg(home), need);
            let install = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ];
            let python = home.join("bin/python");
            run(Command::new(python).args(install).arg(&list), need);
        },
    );
    home.join("bin/python")
}

/// Runs a command that must succeed; `need` says what it needs besides its package registry.
pub(crate) fn run(command: &mut Command, need: &str) -> Output {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error}; this test needs {need}"),
    };
    assert!(
        output.status.success(),
        "{command:?} failed; this test needs {need}, and its package registry for the first run\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
