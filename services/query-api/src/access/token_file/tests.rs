//! What a token file may look like, and what is wrong with one that may not.

use super::*;

const TOKEN: &str = "0123456789abcdef";

fn parse(text: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, Misplaced> {
    let file = TokenFile::parse(text.as_ref())?;
    Ok(file.entries().map(|(name, token)| (name.into_owned(), token.to_owned())).collect())
}

#[test]
fn a_file_has_tokens_with_names_or_without_and_comments() {
    let text =
        format!("# who may ask\r\n\r\n  {TOKEN}  \r\ndashboard: {TOKEN}+/=-._~\n#{TOKEN}\nx.y-z_1:{TOKEN}1");
    let expected = [
        ("line-3", TOKEN.to_owned()),
        ("dashboard", format!("{TOKEN}+/=-._~")),
        ("x.y-z_1", format!("{TOKEN}1")),
    ];
    assert_eq!(parse(text).unwrap(), expected.map(|(name, token)| (name.to_owned(), token)));
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let long = "x".repeat(TOKEN_CHARS_MAX + 1);
    let line = |line, mistake| (Some(line), mistake);
    let cases = [
        (String::new(), (None, TokenMistake::Empty)),
        ("# nobody\n\n".to_owned(), (None, TokenMistake::Empty)),
        (TOKEN[1..].to_owned(), line(1, TokenMistake::Length(15))),
        (format!("{TOKEN}\n\nname:"), line(3, TokenMistake::Length(0))),
        (long.clone(), line(1, TokenMistake::Length(TOKEN_CHARS_MAX + 1))),
        (format!("{TOKEN} and more"), line(1, TokenMistake::BadCharacter)),
        (format!("a:b:{TOKEN}"), line(1, TokenMistake::BadCharacter)),
        (format!("{TOKEN}ä"), line(1, TokenMistake::BadCharacter)),
        (format!("#\n:{TOKEN}"), line(2, TokenMistake::BadName)),
        (format!("two words: {TOKEN}"), line(1, TokenMistake::BadName)),
        (format!("{}: {TOKEN}", "n".repeat(NAME_CHARS_MAX + 1)), line(1, TokenMistake::BadName)),
        (format!("{TOKEN}\n").repeat(TOKENS_MAX + 1), (None, TokenMistake::TooMany)),
        ("#".repeat(512 * 1_024 + 1), (None, TokenMistake::TooLarge)),
    ];
    for (text, mistake) in cases {
        assert_eq!(parse(&text), Err(mistake), "{text:.60}");
    }
    assert_eq!(parse([0xff, 0xfe]), Err((None, TokenMistake::NotText)));
    assert!(parse(format!("{TOKEN}\n").repeat(TOKENS_MAX)).is_ok() && parse(&long[1..]).is_ok());
}

#[test]
fn nothing_that_is_printed_has_a_token_in_it() {
    let file = TokenFile::parse(format!("name:{TOKEN}").as_bytes()).unwrap();
    assert_eq!(format!("{file:?} {:?}", super::super::Tokens::from(&file)), r#"["name"] ["name"]"#);
    for text in [format!("{TOKEN} {TOKEN}"), TOKEN[1..].to_owned()] {
        let (line, mistake) = TokenFile::parse(text.as_bytes()).unwrap_err();
        let error = TokenFileError::Content { path: "tokens".into(), line, mistake }.to_string();
        assert!(
            error.starts_with("the token file tokens, line 1: ") && !error.contains(&TOKEN[1..]),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_way_to_make_one() {
    let error = TokenFile::read(Path::new("/nowhere/tokens")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/tokens cannot be read") && error.contains("openssl rand"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_or_change_is_refused_with_its_mend() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, TOKEN).unwrap();
    let read_with = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        TokenFile::read(&path)
    };
    for mode in [0o644, 0o640, 0o604, 0o622, 0o660, 0o601] {
        let error = read_with(mode).unwrap_err().to_string();
        let mend = format!("(mode {mode:03o}): chmod 600 {}", path.display());
        assert!(error.ends_with(&mend), "{error}");
    }
    for mode in [0o600, 0o400, 0o700] {
        assert_eq!(read_with(mode).unwrap().first(), TOKEN);
    }
}
