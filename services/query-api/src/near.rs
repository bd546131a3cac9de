//! Names that a client may have meant.

/// The most names that are offered.
const NAMES_MAX: usize = 5;

/// How alike two names must be (Jaro-Winkler, 0 to 1): a typo in a name of ten characters still is, another word is not.
const SIMILARITY_MIN: f64 = 0.75;

/// The longest name that is compared, in bytes: comparing costs the product of the lengths.
const NAME_BYTES_MAX: usize = 128;

/// The names among `known` that are like `wanted`, the most alike first.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if wanted.len() > NAME_BYTES_MAX {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let similarity = |name: &str| strsim::jaro_winkler(&wanted, &name.to_lowercase());
    let mut alike: Vec<_> = known.into_iter().map(|name| (similarity(name), name)).collect();
    alike.retain(|(similarity, _)| *similarity >= SIMILARITY_MIN);
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    alike.into_iter().take(NAMES_MAX).map(|(_, name)| name).collect()
}

/// `" Did you mean a, b or c?"`, or nothing when there is nothing to offer.
pub(crate) fn suggestion(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!(" Did you mean {only}?"),
        [others @ .., last] => format!(" Did you mean {} or {last}?", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_another_word_finds_nothing() {
        let known = ["home-01", "home-02", "pv-farm-01", "office"];
        let cases: [(&str, &[&str]); 5] = [
            ("home-1", &["home-01", "home-02"]),
            ("HOME-01", &["home-01", "home-02"]),
            ("pvfarm-01", &["pv-farm-01"]),
            ("zzz", &[]),
            ("", &[]),
        ];
        for (wanted, near) in cases {
            assert_eq!(nearest(wanted, known), near, "{wanted}");
        }
    }

    #[test]
    fn a_name_of_any_length_is_compared_in_bounded_time() {
        assert_eq!(nearest(&"a".repeat(NAME_BYTES_MAX + 1), ["a"]), Vec::<&str>::new());
    }

    #[test]
    fn a_suggestion_reads_as_a_sentence() {
        assert_eq!(suggestion(&[]), "");
        assert_eq!(suggestion(&["a"]), " Did you mean a?");
        assert_eq!(suggestion(&["a", "b", "c"]), " Did you mean a, b or c?");
    }
}
