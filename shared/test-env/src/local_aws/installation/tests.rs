//! What is told where nothing is installed, and what the pins must look like.

use super::*;

fn defect_of(folder: &Path) -> String {
    Installation::find(folder.to_owned()).unwrap_err().to_string()
}

#[test]
fn where_nothing_is_installed_the_error_names_the_folder_and_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let error = defect_of(&folder.path().join("nowhere"));
    assert!(error.contains("nowhere") && error.contains("`cargo xtask local-aws install`"), "{error}");
}

#[test]
fn the_pins_name_no_host() {
    for (name, text) in PINS.files.iter().filter(|(name, _)| ![LOOPBACK, START_MINISTACK].contains(name)) {
        assert!(!text.contains("://") && !text.contains("\"resolved\""), "{name}");
    }
}

#[test]
fn every_python_package_has_one_exact_version() {
    for name in ["requirements.txt", "constraints.txt"] {
        let (_, text) = PINS.files.iter().find(|(pin, _)| *pin == name).unwrap();
        let packages = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '-']));
        for package in packages {
            assert_eq!(package.matches("==").count(), 1, "{name}: {package}");
        }
    }
}
