"""The contract of a query strategy as a list of named checks, to run on one's own.

    check_strategy(my_strategy)

or, in a test file, one test a check:

    @pytest.mark.parametrize(("name", "check"), strategy_checks(my_strategy))
    def test_my_strategy(name, check):
        check()

Each check is a function in one of the modules here; the first sentence of its docstring is what must
hold. They run on small data made for the purpose and take milliseconds each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Final

from bootstrap.errors import InvalidInput
from bootstrap.strategy_call import name_of
from bootstrap.testing.strategy_checks import chance, form, learners, pools
from bootstrap.testing.strategy_checks.case import Case, Check, Finding, StrategyCheckFailed, promise

__all__ = ["StrategyCheckFailed", "check_strategy", "strategy_checks"]

_CHECKS: Final[tuple[Check, ...]] = (*form.CHECKS, *chance.CHECKS, *pools.CHECKS, *learners.CHECKS)


def strategy_checks(
    strategy: Callable[..., Any],
    *,
    committee: bool = False,
    chance: bool = False,
    in_turn: bool = False,
    takes_nan: bool = False,
    needs_labels: bool = False,
    without: Collection[str] = (),
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The checks that apply to a strategy, as pairs of a name and a function without arguments.

    Parameters
    ----------
    strategy : callable
        `strategy(learner, X, n_instances=1, *, rng=None, labeled=None, ...) -> (indices, utilities)`;
        see `bootstrap.strategies.Strategy`.
    committee : bool
        It asks where the members of a committee disagree, and is given several models instead of one.
    chance : bool
        It draws at random even where nothing ties. What can be said about the order of the pool needs
        far more than one draw then, so the checks `item_order` and `labeled_order` are left out.
    in_turn : bool
        It picks one item after the other, and each utility is that of its own turn: later ones may be
        larger. The check `falling_utilities` is left out.
    takes_nan : bool
        It has an answer for features that are NaN or infinite, whatever the learner. Otherwise it must
        refuse them where the learner does.
    needs_labels : bool
        It compares with what is labeled: it is always given some, and may refuse to do without.
    without : collection of str
        Names of checks to leave out: of what the strategy is not meant for, such as `lists_of_texts`.

    Yields
    ------
    name, check : str and callable
        `check()` returns None, or raises :class:`StrategyCheckFailed`.

    Raises
    ------
    InvalidInput
        If `strategy` can't be called, or `without` names a check that does not exist.
    """
    if not callable(strategy):
        raise InvalidInput(
            f"strategy must be a function, got {strategy!r}: pass the function itself, for one of ours "
            'strategies.by_name("margin")'
        )
    unknown = set(without) - {check.name for check in _CHECKS}
    if unknown:
        raise InvalidInput(
            f"no check is called {', '.join(map(repr, sorted(unknown)))}: there are "
            f"{', '.join(check.name for check in _CHECKS)}"
        )
    case = Case(strategy, committee, chance, in_turn, takes_nan, needs_labels)
    checks = [check for check in _CHECKS if check.applies(case) and check.name not in without]
    return iter([(check.name, partial(_run, check, case)) for check in checks])


def check_strategy(
    strategy: Callable[..., Any],
    *,
    committee: bool = False,
    chance: bool = False,
    in_turn: bool = False,
    takes_nan: bool = False,
    needs_labels: bool = False,
    without: Collection[str] = (),
) -> tuple[str, ...]:
    """Run every check that applies to a strategy.

    Parameters
    ----------
    strategy, committee, chance, in_turn, takes_nan, needs_labels, without
        As in :func:`strategy_checks`.

    Returns
    -------
    tuple of str
        Names of the checks, all of which passed.

    Raises
    ------
    StrategyCheckFailed
        An AssertionError, after all checks have run (or none but that of the signature, if it fails): its
        message names each that failed, what must hold, what was found and what to do.
    InvalidInput
        As :func:`strategy_checks`.

    Examples
    --------
    >>> from bootstrap import strategies
    >>> names = check_strategy(strategies.margin)
    >>> "same_seed" in names
    True
    """
    checks = dict(
        strategy_checks(
            strategy,
            committee=committee,
            chance=chance,
            in_turn=in_turn,
            takes_nan=takes_nan,
            needs_labels=needs_labels,
            without=without,
        )
    )
    failures: dict[str, str] = {}
    first: BaseException | None = None
    for name, check in checks.items():
        try:
            check()
        except StrategyCheckFailed as failed:
            failures.update(failed.failures)
            first = first or failed.__cause__
            if name == "signature":
                break  # the others would only say again that it can't be called
    if failures:
        raise StrategyCheckFailed(name_of(strategy), failures) from first
    return tuple(checks)


def _run(check: Check, case: Case) -> None:
    try:
        check.function(case)
    except Finding as finding:
        found, error = str(finding), finding.__cause__
    except Exception as raised:
        found, error = f"It raised {type(raised).__name__}: {raised}", raised
    else:
        return
    raise StrategyCheckFailed(name_of(case.strategy), {check.name: f"{promise(check)} {found}"}) from error
