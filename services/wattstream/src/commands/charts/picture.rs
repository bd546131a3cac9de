//! A chart as SVG, drawn without a browser: the dashboard's script in QuickJS, where ECharts writes SVG as text. What must always
//! hold: the script gets a text and gives one, and can reach nothing else of this process.

use anyhow::{Context as _, anyhow};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime};

use super::SCRIPT;

/// How deep the script may call itself, in bytes: four times what ECharts has been seen to need.
const STACK_BYTES_MAX: usize = 1024 * 1024;
/// What the script may hold: a chart of 10,000 points takes a tenth of it.
const MEMORY_BYTES_MAX: usize = 512 * 1024 * 1024;

/// What charts are drawn with.
pub(super) struct Pen {
    context: Context,
}

impl Pen {
    /// A pen that has read the script.
    pub(super) fn new() -> anyhow::Result<Self> {
        let runtime = Runtime::new().context("starting QuickJS")?;
        runtime.set_max_stack_size(STACK_BYTES_MAX);
        runtime.set_memory_limit(MEMORY_BYTES_MAX);
        let context = Context::full(&runtime).context("starting QuickJS")?;
        context.with(|js| js.eval::<(), _>(SCRIPT).catch(&js).map_err(|error| told(&error)))?;
        Ok(Self { context })
    }

    /// The SVG of what is asked for in JSON.
    pub(super) fn draw(&self, request: &str) -> anyhow::Result<String> {
        self.context.with(|js| {
            let drawn = draw_in(&js, request).catch(&js).map_err(|error| told(&error))?;
            Ok(drawn)
        })
    }
}

fn draw_in(js: &Ctx<'_>, request: &str) -> rquickjs::Result<String> {
    let charts: Object<'_> = js.globals().get("wattstreamCharts")?;
    let svg: Function<'_> = charts.get("svg")?;
    svg.call((request,))
}

/// An exception of the script, which belongs to the engine, as an error of ours.
fn told(error: &CaughtError<'_>) -> anyhow::Error {
    anyhow!("the script of the charts failed: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = r#"<b>"A" & 'B'</script>"#;

    fn sites() -> String {
        let site = serde_json::json!({
            "site_id": NASTY, "anomalies": 3, "anomalies_by_rule": { "negative_energy": 3 }, "energy_generated_kwh": 12_345.5,
            "energy_consumed_kwh": 1.5, "net_energy_kwh": 12_344, "efficiency": 0.99,
        });
        serde_json::json!({ "theme": "dark", "chart": "net-energy", "sites": [site] }).to_string()
    }

    #[test]
    fn a_picture_has_what_the_data_says_and_none_of_it_is_markup() {
        let svg = Pen::new().unwrap().draw(&sites()).unwrap();
        assert!(
            svg.starts_with("<svg ") && svg.contains("Net energy by site") && svg.contains("12.34 MWh"),
            "{svg}"
        );
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>") && !svg.contains("</script>"), "{svg}");
    }

    #[test]
    fn a_pen_draws_one_chart_after_the_other_the_same_way() {
        let pen = Pen::new().unwrap();
        let _ = pen.draw(&sites()).unwrap();
        // ECharts numbers the parts of a drawing over all drawings; the numbers are the only difference.
        let length = pen.draw(&sites()).unwrap().len();
        assert!(length.abs_diff(pen.draw(&sites()).unwrap().len()) < 64);
    }

    #[test]
    fn what_the_script_cannot_draw_is_an_error_that_says_where() {
        let error = Pen::new().unwrap().draw("{}").unwrap_err().to_string();
        assert!(error.contains("the script of the charts failed"), "{error}");
    }
}
