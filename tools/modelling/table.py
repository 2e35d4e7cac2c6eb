"""What is explored for docs/model.md, and what each is expected to come to. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelling.rules import RIGHT, VARIANTS, Case, Counter, Variant
from modelling.world import Wrong

PAGES = ((1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2), (3, 3, 2))
AFTER_A_WRONG_READ = frozenset(Wrong) - {Wrong.MIXED, Wrong.RULE, Wrong.COUNTER}
"""What one wrong read may do: never start an image that is not whole, lower the counter or break the flash's rules."""


@dataclass(frozen=True, slots=True)
class Row:
    """One search. `may`: what may go wrong in it; `must`: something has to."""

    name: str
    case: Case
    may: frozenset[Wrong] = frozenset()
    must: bool = False


def case_of(variant: Variant, cuts: int) -> Case:
    """A variant where it is shown."""
    return Case(variant.pages, cuts, rules=variant.rules, single=variant.single)


def variant_rows(cuts_most: int = 2) -> Iterator[Row]:
    """Each variant with as many cuts as are enough to find something, or with `cuts_most` where nothing is found."""
    for name, variant in VARIANTS.items():
        wrong = variant.caught >= 0
        cuts = variant.caught if wrong else cuts_most
        yield Row(name, case_of(variant, cuts), frozenset(Wrong) if wrong else frozenset(), wrong)


def rows() -> Iterator[Row]:
    """All, the quick ones first."""
    for cuts in (0, 1, 2):
        for pages in PAGES:
            for trials in (1, 2):
                yield Row("the algorithm", Case(pages, cuts, trials))
    yield Row("counters 1, 3, 2", Case((1, 1, 1), 2, counters=(1, 3, 2)))
    level = replace(RIGHT, counter=Counter.BY_LEVEL)
    yield Row("counters 1, 3, 2, by level", Case((1, 1, 1), 2, counters=(1, 3, 2), rules=level))
    yield Row("four trials", Case((1, 1), 2, 4))
    for pages in ((1, 3, 3), (1, 3, 1)):
        yield Row("single slot", Case(pages, 2, single=True))
    for cuts in (0, 1):
        yield Row("one wrong read", Case((1, 1, 1), cuts, misreads=1), AFTER_A_WRONG_READ)
    yield from variant_rows()
    yield Row("the algorithm", Case((1, 1, 1), 3))
