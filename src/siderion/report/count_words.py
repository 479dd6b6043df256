"""Words of the page of tiny counts: what each test asks, and by which convention."""

from __future__ import annotations

from .count_figures import FAMILIES

_INDEPENDENT, _SCATTER, _ITSELF, _CHANGE, _OVER = FAMILIES
_SIDES = {"greater": "one-sided, larger inside or after", "less": "one-sided, smaller inside or after", "two-sided": "two-sided"}
_GIVEN_TOTAL = "given the total, the count inside is binomial with the share of the exposure"
_TESTS: dict[str, tuple[str, str, str]] = {
    "Poisson, exact": (_INDEPENDENT, _GIVEN_TOTAL, "{side}"),
    "Poisson, mid-p": (_INDEPENDENT, "as the exact one, the observed count with half its weight", "{side}; not exact"),
    "Poisson, two-sided by likelihood": (_INDEPENDENT, _GIVEN_TOTAL, "two-sided, all outcomes as unlikely or less so"),
    "Poisson, two-sided by doubling": (_INDEPENDENT, _GIVEN_TOTAL, "two-sided, twice the smaller tail"),
    "permutation of events": (_SCATTER, "events exchanged between the groups in all ways", "{side}"),
    "permutation of events, two-sided": (_SCATTER, "events exchanged between the groups in all ways", "two-sided"),
    "quasi-Poisson": (_SCATTER, "F test of the deviance with the scatter found in the groups", "one-sided, larger inside"),
    "negative binomial": (_SCATTER, "likelihood ratio with scatter as a parameter, parametric bootstrap",
                          "one-sided, larger inside"),
    "dispersion, one rate for each group": (_ITSELF, "chi-square of the events against draws at one rate in each group",
                                            "one-sided, more scatter than Poisson counts"),
    "dispersion, one rate for all": (_ITSELF, "chi-square of the events against draws at one rate for all",
                                     "one-sided, more scatter than Poisson counts"),
    "change inside over change outside, Fisher": (_OVER, "one factor of change in both groups, every count independent",
                                                  "{side}"),
    "change inside over change outside, permutation": (_OVER, "logarithms of the changes exchanged between the groups", "{side}"),
}  # fmt: skip
_BEFORE_AFTER = {
    "Poisson": "sums before and after, every count independent",
    "sign": "how many events rise, how many fall; ties left out",
    "signed rank": "ranks of the changes, with their signs; ties left out",
}
CLAIM = (
    "The review says (section 4.1.2) that after the shock Geotail sometimes detects metallic ions “if and only if” it is in the "
    "lunar wake. The counts do not say so much:"
)
DATA_REMARKS = (
    "2004-01-22, with most of the counts, is the one event in the wake in which Geotail goes from the magnetosheath into the "
    "magnetosphere, where ions of the Earth are about; its double coincidences were high before the shock already.",
    "Several kinds of counts and tests were looked at for the same ten events; no p value is corrected for that.",
    "“Not significant” does not mean that there are no lunar ions: the ratio of the rates may be large. Ten events of which one "
    "has most of the counts cannot tell.",
)


def describe_test(name: str, alternative: str) -> tuple[str, str, str]:
    """Family, question and convention of a test by its name; side by the alternative of the settings.

    Parameters
    ----------
    name : str
        As `siderion.spectrometer.counting.evidence.evaluate_events` names it.
    alternative : {"greater", "less", "two-sided"}
        Of the settings.
    """
    side = _SIDES.get(alternative, alternative)
    if name.startswith("before and after "):
        group, _, kind = name.removeprefix("before and after ").partition(", ")
        return _CHANGE, _BEFORE_AFTER.get(kind, kind), f"{side}; events {group}"
    family, question, convention = _TESTS.get(name, (_INDEPENDENT, name, "{side}"))
    return family, question, convention.format(side=side)
