"""What was proved, about what, and on what: a record that prints as a paragraph.

A certificate is about one frozen model and one threshold. Another model, or the same one fitted again,
needs its own.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from bootstrap.phaseout.candidate import Candidate, Rung
from bootstrap.phaseout.claims import Claim
from bootstrap.phaseout.people import People
from bootstrap.records import Class

__all__ = ["Certificate", "Proved", "certify"]


@dataclass(frozen=True, slots=True)
class Proved:
    """One claim with the audits that proved it.

    Attributes
    ----------
    claim : Claim
    alpha : float
        The error rate that was disproved.
    n_audited, n_wrong : int
        Audits that the claim is about, and the errors among them, at the moment of the proof.
    error_bound : float
        What these bound the error rate at, valid at every look; at most `alpha`.
    """

    claim: Claim
    alpha: float
    n_audited: int
    n_wrong: int
    error_bound: float


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """That a model, frozen, meets the target when people review a given share.

    Attributes
    ----------
    review_rate : float
        The nominal review rate, in [0, 1].
    realised_review_rate : float
        Share of the held-out items at or below the threshold.
    threshold : float
        The model decides alone above this confidence, and only there.
    model : str
        The frozen model.
    candidate : int
        Its number in the ledger.
    round, n_trained : int
        When it was frozen, and the labels it was trained on.
    proved : tuple of Proved
        Every claim; the first is the overall one.
    n_audited, n_alone, n_wrong : int
        Audits counted, those that the model decides alone, and those of them that it gets wrong: when
        the certificate was written, which may be later than the proof.
    n_drawn : int
        Of the audits, training queries drawn at random and scored before they were trained on.
    n_skipped : int
        Audits that people could not answer: counted as errors.
    delta, delta_in_all : float
        What this candidate may spend, and the chance that any certificate of this held-out set is false.
    people : People
        What is known of the people whose answers are the truth here.
    missed : dict
        Class -> (how many of its audited items would go out wrong, how many were audited).
    class_version : int
        The version of the loop's classes that it is about.
    """

    review_rate: float
    realised_review_rate: float
    threshold: float
    model: str
    candidate: int
    round: int
    n_trained: int
    proved: tuple[Proved, ...]
    n_audited: int
    n_alone: int
    n_wrong: int
    n_drawn: int
    n_skipped: int
    delta: float
    delta_in_all: float
    people: People
    missed: dict[Class, tuple[int, int]]
    class_version: int = 1

    def __repr__(self) -> str:
        """One line; `print` tells all."""
        return (
            f"Certificate({self.model}, candidate {self.candidate}, review rate {self.review_rate:.2f}, "
            f"{self.proved[0].claim})"
        )

    def __str__(self) -> str:
        main = self.proved[0]
        sentences = [
            f"Certificate for {self.model} at a review rate of {self.review_rate:.2f} (realised "
            f"{self.realised_review_rate:.3f}): {main.claim}.",
            f"{self._counts_in_words()} The proof: {main.n_wrong} wrong of {main.n_audited} bound the error "
            f"at {main.error_bound:.4f}, and {main.alpha:.4f} is allowed.",
        ]
        if len(self.proved) > 1:
            sentences.append(self.also_proved_in_words())
        alone = (
            "alone"
            if math.isinf(self.threshold)
            else f"alone where its confidence is above {self.threshold:.6g}"
        )
        if self.class_version > 1:
            sentences.append(f"It is about version {self.class_version} of the classes.")
        sentences += [
            missed_in_words(self.missed),
            f"The model is frozen as it was after round {self.round} ({self.n_trained} labels) and decides "
            f"{alone}; fitted again, it is another model.",
            str(self.people),
            "This is said of distinct contents like those that were audited (items that came labeled are not "
            "among them), not of others that may come.",
            f"It is candidate {self.candidate} of this held-out set: its certificates are false with a "
            f"chance of at most {self.delta:.2g}, those of all candidates together with "
            f"{self.delta_in_all:g}, however often one looks.",
        ]
        return " ".join(sentences)

    def also_proved_in_words(self) -> str:
        """The claims beside the overall one with the audits that proved them, in a sentence; may be empty."""
        others = [f"{one.claim} ({one.n_wrong} wrong of {one.n_audited})" for one in self.proved[1:]]
        return f"Also proved: {'; '.join(others)}." if others else ""

    def _counts_in_words(self) -> str:
        apart = []
        if self.n_drawn:
            apart.append(
                f"{self.n_drawn} of them were training queries, drawn at random and scored before training"
            )
        if self.n_skipped:
            apart.append(f"{self.n_skipped} that nobody could answer count as wrong")
        told = f" ({'; '.join(apart)})" if apart else ""
        return (
            f"Of {self.n_audited} audits, drawn at random with known probability and answered blind, it "
            f"decides {self.n_alone} alone and gets {self.n_wrong} wrong{told}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON; a threshold of None: everything is decided alone."""
        record = dataclasses.asdict(self)
        record["threshold"] = None if math.isinf(self.threshold) else self.threshold
        record["people"] |= {
            "error_interval": list(self.people.error_interval),
            "catch_rate": self.people.catch_rate,
        }
        record["proved"] = [dataclasses.asdict(one) | {"claim": one.claim.to_dict()} for one in self.proved]
        record["missed"] = [
            {"class": name, "missed": wrong, "audited": n} for name, (wrong, n) in self.missed.items()
        ]
        return record


def missed_in_words(missed: dict[Class, tuple[int, int]] | None) -> str:
    """What the model alone misses per class, in a sentence; at most ten classes by name, the worst first."""
    if not missed:
        return "What goes out wrong per class: not measured."
    order = sorted(missed.items(), key=lambda one: (-one[1][0] / max(one[1][1], 1), -one[1][1], str(one[0])))
    wrong = [(name, counts) for name, counts in order if counts[0]]
    right = [(name, counts) for name, counts in order if counts[1] and not counts[0]]
    unknown = [name for name, counts in order if not counts[1]]
    parts = [f"{_called(name)} {k} of {n}" for name, (k, n) in wrong[:10]]
    if len(wrong) > 10:
        parts.append(f"some in {len(wrong) - 10} more")
    if 0 < len(right) <= 2:
        parts += [f"{_called(name)} 0 of {n}" for name, (_, n) in right]
    elif right:
        others = "other " if wrong else ""
        parts.append(f"none of {sum(n for _, (_, n) in right)} in {len(right)} {others}classes")
    if unknown:
        named = ", ".join(map(_called, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        parts.append(f"not measured for {named}")
    return f"Decided alone and wrong, per class: {', '.join(parts)}."


def _called(name: Class) -> str:
    """A class as it reads beside numbers."""
    return repr(name) if isinstance(name, str) else f"class {name}"


def missed_per_class(
    candidate: Candidate, rung: Rung, classes: tuple[Class, ...]
) -> dict[Class, tuple[int, int]]:
    """(decided alone and wrong, audited) for each class, those without an audit too."""
    known = dict.fromkeys([*classes, *candidate.audited])
    return {name: (rung.missed[name], candidate.audited[name]) for name in known}


def certify(
    candidate: Candidate,
    rung: Rung,
    *,
    people: People,
    delta_in_all: float,
    classes: tuple[Class, ...] = (),
    class_version: int = 1,
) -> Certificate:
    """The certificate for a rung that has just been certified."""
    return Certificate(
        review_rate=rung.review_rate,
        realised_review_rate=rung.realised_review_rate,
        threshold=rung.threshold,
        model=candidate.name,
        candidate=candidate.number,
        round=candidate.round,
        n_trained=candidate.n_trained,
        proved=tuple(
            Proved(claim, tally.alpha, *tally.proof, tally.proof_bound)
            for claim, tally in rung.tallies.items()
        ),
        n_audited=rung.n_audited,
        n_alone=rung.n_alone,
        n_wrong=rung.n_wrong,
        n_drawn=candidate.n_drawn,
        n_skipped=candidate.n_skipped,
        delta=candidate.delta,
        delta_in_all=delta_in_all,
        people=people,
        missed=missed_per_class(candidate, rung, classes),
        class_version=class_version,
    )
