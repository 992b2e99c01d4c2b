use super::date::Month;

/// More bars than these are too thin on a phone: then a bar is a quarter, a year or more. Ten years touch 41 quarters.
const MAX_BARS: i64 = 41;

/// How many months a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(i64);

/// What one bar shows: the counts of a span of months, one for each series.
pub(super) struct Bar {
    span: Span,
    first: Month,
    pub(super) counts: Vec<u128>,
}

impl Span {
    /// The least one by which `first` to `last` is few enough bars.
    fn over(first: Month, last: Month) -> Self {
        let longer = (1..32).map(|power| Self(1200 << power));
        let fits = |span: &Self| span.place(last) - span.place(first) < MAX_BARS;
        [1, 3, 12, 60, 120, 1200].map(Self).into_iter().chain(longer).find(fits).unwrap_or(Self(1200 << 32))
    }

    fn place(self, month: Month) -> i64 {
        month.index().div_euclid(self.0)
    }

    pub(super) fn is_within_a_year(self) -> bool {
        self.0 < 12
    }

    pub(super) fn name(self) -> String {
        match self.0 {
            1 => "month".to_owned(),
            3 => "quarter".to_owned(),
            12 => "year".to_owned(),
            months => format!("{} years", months / 12),
        }
    }
}

impl Bar {
    /// The bars from the first to the last month in which anything was counted; none if nothing was.
    pub(super) fn all(counts: &[(Month, Vec<u64>)], series: usize) -> (Span, Vec<Self>) {
        let counted = || counts.iter().filter(|(_, counts)| counts.iter().any(|n| *n > 0));
        let months = || counted().map(|(month, _)| *month);
        let (Some(first), Some(last)) = (months().min(), months().max()) else { return (Span(1), Vec::new()) };
        let span = Span::over(first, last);
        let (first, last) = (span.place(first), span.place(last));
        let bar = |place: i64| Self { span, first: Month::from_index(place * span.0), counts: vec![0; series] };
        let mut bars: Vec<Self> = (first..=last).map(bar).collect();
        for (month, counts) in counted() {
            let bar = usize::try_from(span.place(*month) - first).ok().and_then(|at| bars.get_mut(at));
            for (sum, n) in bar.into_iter().flat_map(|bar| &mut bar.counts).zip(counts) {
                *sum += u128::from(*n);
            }
        }
        (span, bars)
    }

    pub(super) fn total(&self) -> u128 {
        self.counts.iter().sum()
    }

    pub(super) fn year(&self) -> i64 {
        self.first.year()
    }

    /// `March 2024`, `Q1 2024`, `2024`, `2020 to 2024`.
    pub(super) fn name(&self) -> String {
        match self.span.0 {
            1 => self.first.to_string(),
            3 => format!("{} {}", self.short_name(), self.year()),
            12 => self.year().to_string(),
            months => format!("{} to {}", self.year(), self.year() + months / 12 - 1),
        }
    }

    /// As short as it can be and still be one of all: `Mar 2024`.
    pub(super) fn brief(&self) -> String {
        if self.span.is_within_a_year() { format!("{} {}", self.short_name(), self.year()) } else { self.name() }
    }

    /// `Mar`, `Q1`: its place in the year.
    pub(super) fn short_name(&self) -> String {
        match self.span.0 {
            3 => format!("Q{}", self.first.number().div_ceil(3)),
            _ => self.first.short_name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(months: &[i64]) -> (String, usize, u128) {
        let counts: Vec<_> = months.iter().map(|at| (Month::from_index(*at), vec![1, u64::MAX])).collect();
        let (span, bars) = Bar::all(&counts, 2);
        assert!(bars.len() <= usize::try_from(MAX_BARS).unwrap());
        (span.name(), bars.len(), bars.iter().map(Bar::total).sum())
    }

    #[test]
    fn a_bar_is_as_short_a_time_as_leaves_it_wide_enough() {
        for (months, name, len) in
            [(1, "month", 1), (41, "month", 41), (42, "quarter", 15), (120, "quarter", 41), (480, "year", 41)]
        {
            let all: Vec<i64> = (24_001..24_001 + months).collect();
            let (span, bars, total) = bars(&all);
            assert_eq!((span.as_str(), bars), (name, len));
            assert_eq!(total, u128::try_from(months).unwrap() << 64);
        }
    }

    #[test]
    fn a_month_in_which_nothing_happened_has_its_place() {
        assert_eq!(bars(&[24_000, 24_012]).1, 13);
        assert_eq!(Bar::all(&[(Month::from_index(5), vec![0, 0])], 2).1.len(), 0);
        assert_eq!(Bar::all(&[], 2).1.len(), 0);
    }

    #[test]
    fn a_clock_that_was_wrong_by_ages_leaves_few_bars() {
        for months in [[24_000, 24_000 + 12 * 270_000_000], [-12 * 290_000_000, 12 * 290_000_000]] {
            assert_eq!(bars(&months).2, 2 << 64);
        }
    }
}
