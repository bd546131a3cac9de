//! A folder of packages that were installed from pins of this commit. What must always hold: it counts only when the installer
//! came to its end and worked from exactly these pins; it is one folder, which can be thrown away.
//!
//! The folder holds the pins themselves, what the installer brought, and a mark that is written last.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Tells that the installer came to its end.
const FINISHED: &str = "finished";

/// What an installation is made from, and what it must have.
#[derive(Clone, Copy, Debug)]
pub struct Pins {
    /// Files for the installer and the programs, by name.
    pub files: &'static [(&'static str, &'static str)],
    /// Paths in the folder without which it is of no use. The interpreter of a virtual environment is a link, which an upgrade
    /// of the system leaves dangling.
    pub needed: &'static [&'static str],
}

/// A folder that holds the pins, for an installer to work in.
#[derive(Debug)]
pub struct Unfinished {
    folder: PathBuf,
    pins: Pins,
}

impl Pins {
    /// Why a folder is no installation from these pins; `None` when it is one.
    pub fn defect_of(&self, folder: &Path) -> Option<String> {
        if !folder.join(FINISHED).exists() {
            return Some("it was never installed, or not to the end".to_owned());
        }
        let is_other = |(name, text): &&(&str, &str)| {
            fs::read_to_string(folder.join(name)).map_or(true, |installed| installed != *text)
        };
        if let Some((name, _)) = self.files.iter().find(is_other) {
            return Some(format!("it was made from another {name}"));
        }
        let missing = self.needed.iter().map(|path| folder.join(path)).find(|path| !path.exists())?;
        Some(format!("{} is gone", missing.display()))
    }

    /// Starts anew: an empty folder but for the pins.
    pub fn begin(self, folder: PathBuf) -> io::Result<Unfinished> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&folder)?,
        }
        for (name, text) in self.files {
            fs::write(folder.join(name), text)?;
        }
        Ok(Unfinished { folder, pins: self })
    }
}

impl Unfinished {
    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Marks it as finished, and looks whether everything is there.
    pub fn finish(self) -> io::Result<PathBuf> {
        fs::write(self.folder.join(FINISHED), "")?;
        match self.pins.defect_of(&self.folder) {
            None => Ok(self.folder),
            Some(why) => Err(io::Error::other(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PINS: Pins =
        Pins { files: &[("requirements.txt", "a==1\n"), ("lock", "b")], needed: &["venv/bin/python"] };

    fn planted(folder: &Path) {
        let unfinished = PINS.begin(folder.to_owned()).unwrap();
        fs::create_dir_all(folder.join("venv/bin")).unwrap();
        fs::write(folder.join("venv/bin/python"), "").unwrap();
        unfinished.finish().unwrap();
    }

    #[test]
    fn an_installation_that_was_finished_has_no_defect() {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path());
        assert_eq!(PINS.defect_of(folder.path()), None);
    }

    #[test]
    fn an_installer_that_was_interrupted_left_nothing() {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path());
        PINS.begin(folder.path().to_owned()).unwrap();
        assert!(PINS.defect_of(folder.path()).unwrap().contains("not to the end"));
        assert!(!folder.path().join("venv").exists());
    }

    #[test]
    fn an_installation_from_other_pins_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in PINS.files {
            planted(folder.path());
            fs::write(folder.path().join(name), format!("{text} ")).unwrap();
            assert!(PINS.defect_of(folder.path()).unwrap().contains(&format!("another {name}")));
        }
    }

    #[test]
    fn an_installation_whose_interpreter_went_away_is_none() {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path());
        fs::remove_file(folder.path().join("venv/bin/python")).unwrap();
        assert!(PINS.defect_of(folder.path()).unwrap().ends_with("bin/python is gone"));
    }

    #[test]
    fn an_installer_that_forgot_something_has_not_finished() {
        let folder = tempfile::tempdir().unwrap();
        let error = PINS.begin(folder.path().to_owned()).unwrap().finish().unwrap_err();
        assert!(error.to_string().contains("is gone"), "{error}");
    }
}
