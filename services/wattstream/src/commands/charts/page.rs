//! HTML around charts. What must always hold: a page runs the scripts that its policy names by their hash, and nothing else; it asks
//! no host for anything; a text of the data is escaped for the place where it stands.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::data::name_of;
use super::{SCRIPT, Written};
use crate::cli::Theme;

/// Draws the chart of a page.
const START: &str = "wattstreamCharts.show();";

/// ECharts places what it draws with style attributes.
const STYLE: &str = "body{margin:0;background:Canvas;color:CanvasText;\
    font:15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,sans-serif}";

const STYLE_OF_INDEX: &str = "main{max-width:1000px;margin:0 auto;padding:24px 20px}img{width:100%;height:auto;\
    border:1px solid #8886;border-radius:8px}figure{margin:0 0 24px}ul{columns:20em;padding-left:1.2em}";

/// The page of one chart.
pub(super) fn chart(title: &str, file: &str, request: &str, theme: Theme) -> String {
    let scripts = [SCRIPT, START].map(hash).join(" ");
    let policy =
        format!("default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:");
    format!(
        "{head}<style>{STYLE}html{{color-scheme:{theme}}}</style>\n<div id=\"chart\"></div>\n\
         <noscript><p><a href=\"{file}.svg\">The chart as a picture</a></p></noscript>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n\
         <script>{SCRIPT}</script>\n<script>{START}</script>\n</html>\n",
        head = head(title, &policy),
        theme = name_of(theme),
        file = escaped(&link(file)),
        data = json_in_script(request),
    )
}

/// The page that leads to all others: pictures of the charts of all sites, and a list of the sites.
pub(super) fn index(of_all: &[Written], of_sites: &[Written], theme: Theme) -> String {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    let mut page = head("Charts of wattstream", policy);
    let scheme = name_of(theme);
    let _ = write!(
        page,
        "<style>{STYLE}{STYLE_OF_INDEX}html{{color-scheme:{scheme}}}</style>\n<main>\n<h1>Charts</h1>\n"
    );
    for Written { file, title, svg } in of_all {
        let (link, title, picture) = (escaped(&link(file)), escaped(title), BASE64_STANDARD.encode(svg));
        let _ = writeln!(
            page,
            "<figure><a href=\"{link}.html\"><img alt=\"{title}\" src=\"data:image/svg+xml;base64,{picture}\"></a>\
             <figcaption><a href=\"{link}.html\">{title}</a> (<a href=\"{link}.svg\">SVG</a>)</figcaption></figure>"
        );
    }
    if !of_sites.is_empty() {
        page.push_str("<h2>Sites</h2>\n<ul>\n");
        for Written { file, title, .. } in of_sites {
            let (link, title) = (escaped(&link(file)), escaped(title));
            let _ = writeln!(
                page,
                "<li><a href=\"{link}.html\">{title}</a> (<a href=\"{link}.svg\">SVG</a>)</li>"
            );
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</main>\n</html>\n");
    page
}

fn head(title: &str, policy: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n",
        escaped(policy),
        escaped(title)
    )
}

/// A script, for a policy.
fn hash(script: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script)))
}

/// A name of a file for a site: what any file system takes, and of two sites never the same.
pub(super) fn file_name(site_id: &str) -> String {
    let mut name = String::new();
    for byte in site_id.bytes() {
        if byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"-_.".contains(&byte) {
            name.push(char::from(byte));
        } else {
            // Capitals too: there are file systems for which they are the same as small letters.
            let _ = write!(name, "~{byte:02x}");
        }
    }
    name
}

/// A name of a file as an address beside this one. A tilde and what else a name has means itself there.
fn link(file: &str) -> String {
    format!("./{file}")
}

/// A text in HTML, in an element or in an attribute with double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON in a script element. There a `<` could begin `</script>` or `<!--`; JSON has it in texts only, where it can be escaped.
fn json_in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = r#"<b>"A" & 'B'</script><!--"#;

    #[test]
    fn no_text_of_the_data_ends_its_place() {
        let request = serde_json::json!({ "sites": [NASTY] }).to_string();
        let page = chart(NASTY, &file_name(NASTY), &request, Theme::Light);
        assert_eq!(page.matches("</script>").count(), 3, "the data, the script and its start");
        assert!(
            page.contains("<title>&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/script&gt;&lt;!--</title>")
        );
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap()["sites"][0], NASTY);
        let written = Written { file: file_name(NASTY), title: NASTY.into(), svg: "<svg/>".into() };
        let index = index(&[], &[written], Theme::Dark);
        assert!(!index.contains("<b>") && !index.contains("<!--") && index.contains("&lt;b&gt;"), "{index}");
    }

    #[test]
    fn a_page_lets_its_own_scripts_run_and_asks_nobody() {
        let page = chart("t", "f", "{}", Theme::Light);
        let policy = page.split("content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.starts_with("default-src &#39;none&#39;; script-src &#39;sha256-"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("self"), "{policy}");
    }

    #[test]
    fn names_of_files_are_plain_and_apart() {
        assert_eq!(file_name("home-01.pv_a"), "home-01.pv_a");
        assert_eq!(file_name("A:b"), "~41~3ab");
        assert_eq!(file_name("../x"), "..~2fx");
        assert_ne!(file_name("A"), file_name("a"));
    }

    #[test]
    fn the_script_can_stand_in_a_page() {
        assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
    }
}
