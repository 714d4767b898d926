"""The rounds of a loop as a table: what was spent and what was measured.

A history holds rows and the few settings one needs to read them; it computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.records import Round

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """The finished rounds of a loop, first to last.

    Attributes
    ----------
    rounds : tuple of Round
        One record a round; see :class:`~bootstrap.records.Round` for what each figure was measured on.
    review_rate : float
        The fixed review rate r of `accuracy_at_review_rate`, in [0, 1].
    target_accuracy : float
        What the loop aims at, in (0, 1).
    target_of : str
        `"alone"`: the target is about what the model decides alone; `"system"`: about what goes out.
    delta : float
        Intervals fail with at most this probability.
    people_error : float or None
        Share of wrong answers by people, where it was measured.
    stop_reason : str or None
        Why the last `run` ended.
    """

    rounds: tuple[Round, ...]
    review_rate: float
    target_accuracy: float
    target_of: str
    delta: float
    people_error: float | None = None
    stop_reason: str | None = None

    def __len__(self) -> int:
        return len(self.rounds)

    def __iter__(self) -> Iterator[Round]:
        return iter(self.rounds)

    def __getitem__(self, index: int) -> Round:
        return self.rounds[index]

    def __repr__(self) -> str:
        last = f", {self.rounds[-1].n_labels} labels" if self.rounds else ""
        return f"History({len(self)} rounds{last}; to_frame() shows them)"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return str(self.to_frame().round(3).to_html(index=False))

    def to_frame(self) -> pd.DataFrame:
        """One row a round, the columns of :class:`~bootstrap.records.Round`; not measured is NaN."""
        import pandas as pd

        kinds = {field.name: float if "float" in str(field.type) else int for field in fields(Round)}
        return pd.DataFrame([r.to_dict() for r in self.rounds], columns=list(kinds)).astype(kinds)

    def to_csv(self, path: str | PathLike[str]) -> Path:
        """Write :meth:`to_frame` as CSV; returns the path."""
        self.to_frame().to_csv(path, index=False)
        return Path(path)

    def to_jsonl(self, path: str | PathLike[str]) -> Path:
        """Write one JSON object a round; not measured is null. Returns the path."""
        rows = [json.dumps(r.to_dict()) + "\n" for r in self.rounds]
        Path(path).write_text("".join(rows), encoding="utf-8")
        return Path(path)
