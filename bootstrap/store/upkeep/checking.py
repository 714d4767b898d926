"""Is a store what its writers made of it? The trail is gone through, and every row that it speaks of.

A row or an entry that was edited, removed or put in afterwards is found and named, and so is what does not
follow from what was said: which label counts, which query is open. What can't be found: a store whose whole
trail was computed anew from some entry on. Note the head of the trail elsewhere, now and then, where that has
to be excluded: it stands in the report.
"""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.store.database import Database, opened
from bootstrap.store.upkeep.checking_labels import LabelCheck
from bootstrap.store.upkeep.checking_state import StateCheck
from bootstrap.store.upkeep.checking_trail import TrailCheck
from bootstrap.store.upkeep.findings import Findings

__all__ = ["CheckReport", "check"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Attributes
    ----------
    entries : int
        In the trail.
    head : str
        The hash of the last entry: it stands for everything before it.
    problems : tuple of str
        What is wrong, each readable; the first 200.
    n_problems : int
    """

    entries: int
    head: str
    problems: tuple[str, ...]
    n_problems: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.n_problems == 0

    def __str__(self) -> str:
        if self.ok:
            return f"The store is sound: {self.entries} entries in the trail, head {self.head}."
        more = self.n_problems - len(self.problems)
        listed = [*self.problems, f"and {more} more"] if more else list(self.problems)
        count = "1 problem" if self.n_problems == 1 else f"{self.n_problems} problems"
        return f"The store has {count}:\n" + "\n".join(f"- {line}" for line in listed)


def check(storage: str | Database) -> CheckReport:
    """Go through a store, as it is at one moment; others may go on writing.

    Parameters
    ----------
    storage : str or Database
        URL of a store that exists, or an open one.

    Raises
    ------
    StoreError
        If it can't be opened or read.
    """
    with opened(storage) as database, database.reading() as connection:
        findings = Findings(connection)
        state = StateCheck(connection, findings)
        if database.is_sqlite:
            state.look_at_the_file()
        trail = TrailCheck(connection, findings)
        trail.go_through()
        trail.look_for_rows_without_an_entry()
        state.look_at_items()
        state.look_at_loops(trail.taken_up_to)
        LabelCheck(connection, findings).look_at_what_counts()
        state.look_at_queries()
        return CheckReport(trail.entries, trail.head, tuple(findings.problems), findings.n_problems)
