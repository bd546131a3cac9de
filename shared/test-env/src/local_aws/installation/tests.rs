//! What counts as installed: folders are planted with one thing wrong, and the error must name it.

use super::*;

/// An installation of empty programs.
fn planted(folder: &Path) -> Installation {
    let unfinished = Installation::begin(folder.to_owned()).unwrap();
    let programs = Installation { folder: folder.to_owned() };
    for program in [programs.interpreter(), programs.kinesis_local()] {
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(program, "").unwrap();
    }
    unfinished.finish().unwrap()
}

fn defect_of(folder: &Path) -> String {
    Installation::find(folder.to_owned()).unwrap_err().to_string()
}

#[test]
fn an_installation_that_was_finished_is_found() {
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path());
    Installation::find(folder.path().to_owned()).unwrap();
}

#[test]
fn where_nothing_is_installed_the_error_names_the_folder_and_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let error = defect_of(&folder.path().join("nowhere"));
    assert!(error.contains("nowhere") && error.contains("`cargo xtask local-aws install`"), "{error}");
}

#[test]
fn an_installer_that_was_interrupted_left_nothing() {
    let folder = tempfile::tempdir().unwrap();
    planted(folder.path());
    Installation::begin(folder.path().to_owned()).unwrap();
    assert!(defect_of(folder.path()).contains("not to the end"));
    assert!(!Installation { folder: folder.path().to_owned() }.interpreter().exists());
}

#[test]
fn an_installation_from_other_pins_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in PINS {
        planted(folder.path());
        fs::write(folder.path().join(name), format!("{text} ")).unwrap();
        assert!(defect_of(folder.path()).contains(&format!("another {name}")));
    }
}

#[test]
fn an_installation_whose_interpreter_went_away_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let installation = planted(folder.path());
    fs::remove_file(installation.interpreter()).unwrap();
    assert!(defect_of(folder.path()).contains("bin/python is gone"));
}

#[test]
fn the_pins_name_no_host() {
    for (name, text) in PINS.iter().filter(|(name, _)| *name != LOOPBACK) {
        assert!(!text.contains("://") && !text.contains("\"resolved\""), "{name}");
    }
}

#[test]
fn every_python_package_has_one_exact_version() {
    for name in ["requirements.txt", "constraints.txt"] {
        let (_, text) = PINS.iter().find(|(pin, _)| *pin == name).unwrap();
        let packages = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '-']));
        for package in packages {
            assert_eq!(package.matches("==").count(), 1, "{name}: {package}");
        }
    }
}
