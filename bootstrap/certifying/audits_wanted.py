"""Where the next labels are better spent on audits than on training: a forecast, never evidence."""

from __future__ import annotations

import math

from bootstrap.phaseout import Candidate, Rung, Trial
from bootstrap.planning.spending import worth_auditing

__all__ = ["audits_wanted"]


def audits_wanted(trial: Trial, reach: float) -> int:
    """Audits that may bring the next certificate soon; 0 where labels are better spent on training.

    The champion's next rung comes first: it is in use.

    Parameters
    ----------
    trial : Trial
    reach : float
        The candidate may be hoped to err on less than this share of what the target allows.
    """
    in_use = None if trial.champion is None else trial.champion.candidate
    return _by(in_use, trial, reach) or _by(trial.present, trial, reach)


def _by(candidate: Candidate | None, trial: Trial, reach: float) -> int:
    """What its next rung takes, but for audits that are answered and wait for a second answer to one."""
    if candidate is None or candidate.closed or candidate.next_rung is None:
        return 0
    return max(0, _until_certified(candidate.next_rung, reach) - trial.n_held_up(candidate))


def _until_certified(rung: Rung, reach: float) -> int:
    """Audits of everything until the rung is certified if no further one finds an error; 0: not worth it."""
    wanted = 0
    for tally in rung.tallies.values():
        if tally.proved:
            continue
        if tally.alpha <= 0.0 or not worth_auditing(tally.errors, tally.n, tally.alpha, share=reach):
            return 0
        share = (tally.n + 1) / (rung.n_audited + 1)  # of the audits that this claim is about
        wanted = max(wanted, math.ceil((tally.needed - tally.n) / share))
    return wanted or _to_show_that_it_is_of_use(rung, reach)


def _to_show_that_it_is_of_use(rung: Rung, reach: float) -> int:
    """A few more audits where all is proved, and other classes than the commonest may be common enough.

    Where they are not, every audit of the held-out set might go without showing that they are.
    """
    total = rung.alone.total()
    others = total - max(rung.alone.values(), default=0)
    hoped = min(rung.allowed / reach, 0.99)  # as far above what is allowed as the error is to be below it
    return 1 + total // 20 if worth_auditing(total - others, total, 1.0 - hoped, share=1.0) else 0
