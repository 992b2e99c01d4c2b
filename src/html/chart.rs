use std::io;

use super::date::Month;
use super::number::Grouped;
use super::page::Page;
use super::period::{Bar, Span};
use super::plot::{Plot, fill};
use super::table::{Column, Table};

/// Counts per month as stacked bars, and the same counts as a table.
pub(crate) struct Bars<'a> {
    /// The begin of all ids.
    pub(crate) id: &'static str,
    pub(crate) title: &'a str,
    /// What is counted, in the plural.
    pub(crate) unit: &'a str,
    /// At most eight, the first at the bottom.
    pub(crate) series: &'a [Series<'a>],
    /// In any order; a month that is missing is zero.
    pub(crate) counts: &'a [(Month, Vec<u64>)],
}

pub(crate) struct Series<'a> {
    /// Of its colour and texture: 0 to 7, each once in a chart.
    pub(crate) paint: usize,
    /// Someone else may have written it.
    pub(crate) name: &'a str,
    /// What is counted in it, as a sentence for the legend; may be empty.
    pub(crate) meaning: &'a str,
}

impl Bars<'_> {
    pub(crate) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (span, bars) = Bar::all(self.counts, self.series.len());
        page.open("figure", &[("class", &"chart"), ("id", &self.id)])?;
        page.element("figcaption", &[], format_args!("{} per {}", self.title, span.name()))?;
        if bars.is_empty() {
            page.element("p", &[("class", &"nothing")], format_args!("There are no {}.", self.unit))?;
            return page.close();
        }
        let described = self.described(&bars);
        let Self { id, title, series, .. } = *self;
        Plot { id, title, described: &described, series, span, bars: &bars }.write(page)?;
        self.legend(&bars, page)?;
        self.table(span, &bars, page)?;
        page.close()
    }

    fn described(&self, bars: &[Bar]) -> String {
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return String::new() };
        let total = bars.iter().map(Bar::total).sum();
        let most = bars.iter().max_by_key(|bar| bar.total()).unwrap_or(first);
        format!(
            "{} {} from {} to {}, most in {}: {}. The table below has every number.",
            Grouped(total),
            self.unit,
            first.name(),
            last.name(),
            most.name(),
            Grouped(most.total()),
        )
    }

    fn legend(&self, bars: &[Bar], page: &mut Page<'_>) -> io::Result<()> {
        page.open("ul", &[("class", &"legend")])?;
        for (at, Series { paint, name, meaning }) in self.series.iter().enumerate() {
            page.open("li", &[])?;
            page.open("svg", &[("class", &"swatch"), ("aria-hidden", &"true")])?;
            page.void("rect", &[("width", &"100%"), ("height", &"100%"), ("fill", &fill(self.id, *paint))])?;
            page.close()?;
            page.open("span", &[])?;
            page.open("b", &[])?;
            page.quoted(name)?;
            page.text(format_args!(" {}", Grouped(sum(bars, at))))?;
            page.close()?;
            if !meaning.is_empty() {
                page.text(format_args!(" {meaning}"))?;
            }
            page.close()?;
            page.close()?;
        }
        page.close()
    }

    fn table(&self, span: Span, bars: &[Bar], page: &mut Page<'_>) -> io::Result<()> {
        let shown: Vec<usize> = (0..self.series.len()).filter(|at| sum(bars, *at) > 0).collect();
        page.open("details", &[])?;
        page.element("summary", &[], "The numbers as a table")?;
        let names = shown.iter().map(|at| self.series[*at].name).chain(["All"]);
        let columns: Vec<Column<'_>> = [Column::Text("Period")].into_iter().chain(names.map(Column::Count)).collect();
        Table { caption: &format!("{} per {}", self.title, span.name()), columns: &columns }.open(page)?;
        page.open("tbody", &[])?;
        for bar in bars {
            row(&bar.brief(), shown.iter().map(|at| bar.counts[*at]), page)?;
        }
        page.close()?;
        page.open("tfoot", &[])?;
        row("All", shown.iter().map(|at| sum(bars, *at)), page)?;
        page.close()?;
        Table::close(page)?;
        page.close()
    }
}

fn row(name: &str, counts: impl Iterator<Item = u128>, page: &mut Page<'_>) -> io::Result<()> {
    page.open("tr", &[])?;
    page.element("th", &[("scope", &"row")], name)?;
    let mut total = 0;
    for n in counts {
        total += n;
        Table::count(n, page)?;
    }
    page.element("td", &[], Grouped(total))?;
    page.close()
}

fn sum(bars: &[Bar], series: usize) -> u128 {
    bars.iter().map(|bar| bar.counts[series]).sum()
}

#[cfg(test)]
mod tests {
    use super::super::checker;
    use super::*;

    fn chart(counts: &[(Month, Vec<u64>)]) -> String {
        let mut out = Vec::new();
        let mut page = Page::begin("A chart", &mut out).unwrap();
        let names = [(0, "Stored"), (7, "Read"), (5, "<Shared>\u{202e}")];
        let series = names.map(|(paint, name)| Series { paint, name, meaning: "" });
        Bars { id: "acts", title: "Acts", unit: "acts", series: &series, counts }.write(&mut page).unwrap();
        page.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        checker::check(&text);
        assert!(!text.contains("NaN") && !text.contains("inf"));
        text
    }

    fn month(at: i64) -> Month {
        Month::from_index(at)
    }

    #[test]
    fn without_counts_it_says_so_and_draws_nothing() {
        for counts in [vec![], vec![(month(24_000), vec![0, 0, 0])]] {
            let text = chart(&counts);
            assert!(text.contains("There are no acts.") && !text.contains("<svg"));
        }
    }

    #[test]
    fn every_number_is_also_a_text() {
        let text = chart(&[(month(24_290), vec![4_812, 0, 2]), (month(24_291), vec![0, 7, 0])]);
        for expected in [
            "<title>March 2024: Stored 4,812</title>",
            "<td>4,812</td>",
            "Acts per month",
            "4,821 acts from March 2024",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
        assert!(text.contains("<title>March 2024: &lt;Shared&gt;[U+202E] 2</title>"));
        let code = "<span class=\"code\">U+202E</span>";
        assert!(text.contains(&format!("<b><bdi>&lt;Shared&gt;{code}</bdi> 2</b>")));
        assert!(text.contains(&format!("<th scope=\"col\"><span><bdi>&lt;Shared&gt;{code}</bdi></span></th>")));
    }

    #[test]
    fn each_series_has_the_paint_that_was_chosen_for_it() {
        let text = chart(&[(month(24_290), vec![1, 2, 3])]);
        for paint in [0, 5, 7] {
            assert_eq!(text.matches(&format!("id=\"acts-fill-{paint}\" class=\"s{paint}\"")).count(), 1);
            // In the picture and in its legend.
            assert_eq!(text.matches(&format!("fill=\"url(#acts-fill-{paint})\"")).count(), 2);
        }
        assert_eq!(text.matches("<pattern").count(), 3);
    }

    #[test]
    fn the_smallest_count_beside_the_largest_is_still_seen() {
        let text = chart(&[(month(24_290), vec![u64::MAX, 1, u64::MAX])]);
        assert_eq!(text.matches("class=\"bar\"").count(), 3);
        assert!(text.contains("height=\"3.0\""));
        assert!(text.contains("36,893,488,147,419,103,231"));
    }

    #[test]
    fn a_count_without_a_series_is_passed_over() {
        chart(&[(month(24_290), vec![1, 2, 3, 4, 5]), (month(24_291), vec![1])]);
    }

    #[test]
    fn from_one_month_to_ten_years_it_is_drawn() {
        for months in [1, 2, 14, 36, 40, 41, 119, 120, 600] {
            let counts: Vec<_> = (0..months).map(|at| (month(24_000 + at), vec![at as u64, 1, 0])).collect();
            let text = chart(&counts);
            assert!(text.matches("<g>").count() <= 41);
        }
    }
}
