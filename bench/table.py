"""Results as values, and the table that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

PEERS = ("nginx", "caddy")
SUBJECTS = ("wakegate", *PEERS)
HEAD = ("claim", *SUBJECTS, "ratio", "goal", "met?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One thing that a row promises: what was reached, in the words of the goal."""

    reached: str
    wanted: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim. `samples` has every round of every subject; the table shows their medians."""

    claim: str
    unit: str
    samples: dict[str, list[float]] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()  # what was left out, and how to get it; what else was seen

    def value(self, subject: str) -> float:
        """Return the median over the rounds."""
        return median(self.samples[subject])


def at_least(reached: float, wanted: float, *, of: str) -> Goal:
    """Return the goal of being at least so many times a peer."""
    return Goal(reached=f"{reached:.2f} x {of}", wanted=f"≥ {wanted:g} x {of}", met=reached >= wanted)


def at_most(reached: float, wanted: float, *, of: str) -> Goal:
    """Return the goal of being at most so many times a peer, or so many of a unit."""
    sign = "x " if of in SUBJECTS else ""
    return Goal(reached=f"{reached:.2f} {sign}{of}", wanted=f"≤ {wanted:g} {sign}{of}", met=reached <= wanted)


def times_as_good(samples: Mapping[str, Sequence[float]], unit: str, *, peer: str) -> float:
    """Return the ratio that is above 1 where Wakegate is better: less of a cost, or more a second."""
    ours, theirs = median(samples["wakegate"]), median(samples[peer])
    return ours / theirs if unit.endswith("/s") else theirs / ours


def render(rows: Sequence[Row]) -> str:
    """Return the table; a second goal of a row, and its notes, stand on lines of their own."""
    cells = [HEAD, *(line for row in rows for line in _lines(row))]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    text.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    notes = [f"{row.claim}: {note}" for row in rows for note in row.notes]
    return "\n".join([*text, "", *notes]).rstrip()


def _lines(row: Row) -> list[tuple[str, ...]]:
    values = tuple(
        f"{_figure(row.value(subject))} {row.unit}" if subject in row.samples else "-" for subject in SUBJECTS
    )
    if not row.samples and not row.goals:
        return [(row.claim, *values, "-", "-", "skipped")]
    if not row.goals:
        peers = [peer for peer in PEERS if peer in row.samples]
        ratios = ", ".join(f"{times_as_good(row.samples, row.unit, peer=peer):.2f} x {peer}" for peer in peers)
        return [(row.claim, *values, ratios or "-", "-", "-")]
    goals = [(goal.reached, goal.wanted, "yes" if goal.met else "NO") for goal in row.goals]
    first, *others = goals
    return [(row.claim, *values, *first), *(("", "", "", "", *goal) for goal in others)]


def _figure(value: float) -> str:
    """Return three digits that count, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
