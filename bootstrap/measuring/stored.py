"""Reading back the state of something that runs: what does not fit is refused in words.

A state that lost a field, or that was edited by hand, must not end in a KeyError far from its cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.errors import InvalidInput

__all__ = ["reading_stored"]


@contextmanager
def reading_stored(what: str) -> Iterator[None]:
    """Turn whatever goes wrong while a stored state is read into InvalidInput."""
    try:
        yield
    except KeyError as missing:
        raise InvalidInput(
            f"The stored {what} has no {missing}. Pass back what to_dict() gave, unchanged."
        ) from None
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(
            f"The stored {what} can't be read: {wrong} Pass back what to_dict() gave, unchanged."
        ) from None
