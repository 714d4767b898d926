"""Who is held out and who is audited when: keyed hashes, not random numbers.

A draw is a function of a key, the item's content and a purpose. A retry, a restart or another machine
therefore draws the same, all copies of one content fall on the same side, and nothing that happens
later (a strategy, a label, a new batch of items) can move an item from one side to the other. The key
is drawn once and stored with the labels; whoever knows it can tell beforehand which items are held out.
"""

from __future__ import annotations

import hashlib
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput

__all__ = ["audit_order", "is_held_out", "new_key", "uniform_draw"]

#: Purposes that are drawn here. A draw for another purpose is independent of these.
_HELD_OUT: Final = "held-out"
_AUDIT_ORDER: Final = "audit-order"

_KEY_BYTES: Final = 16
_DRAW_BYTES: Final = 8
_LONGEST_KEY: Final = hashlib.blake2b.MAX_KEY_SIZE
_LONGEST_PURPOSE: Final = hashlib.blake2b.PERSON_SIZE


def new_key(random_state: int | None = None) -> bytes:
    """A key for the draws, to be made once and stored with the labels.

    Parameters
    ----------
    random_state : int, optional
        The same number gives the same key on every machine. None takes it from the operating system.

    Returns
    -------
    bytes
        16 bytes.

    Raises
    ------
    InvalidInput
        If `random_state` is neither a whole number nor None.

    Examples
    --------
    >>> new_key(7).hex()
    'cd16917fabe01fe1186be20928c3e8b1'
    """
    if random_state is None:
        return os.urandom(_KEY_BYTES)
    if not isinstance(random_state, numbers.Integral):
        raise InvalidInput(
            f"random_state must be a whole number or None, found {random_state!r}. "
            "Pass a number to draw the same key again, or None for a fresh one."
        )
    text = str(int(random_state)).encode("ascii")
    return hashlib.blake2b(text, digest_size=_KEY_BYTES, person=b"new-key").digest()


@overload
def uniform_draw(key: bytes, content: str, purpose: str) -> float: ...  # type: ignore[overload-overlap]  # str first
@overload
def uniform_draw(key: bytes, content: Iterable[str], purpose: str) -> NDArray[np.float64]: ...
def uniform_draw(key: bytes, content: str | Iterable[str], purpose: str) -> float | NDArray[np.float64]:
    """A number in [0, 1) for each content, uniform over keys and fixed for one key.

    The first 53 bits of keyed BLAKE2b, so it is the same on every platform and Python version. Draws
    for different contents, purposes or keys behave as independent.

    Parameters
    ----------
    key : bytes
        1 to 64 bytes, from :func:`new_key`.
    content : str or iterable of str
        Content keys: equal contents draw equal numbers.
    purpose : str
        What is drawn for, 1 to 16 bytes in UTF-8 and free of NUL. Each decision needs its own.

    Returns
    -------
    float or array of float
        A float for one content, an array of shape (n,) for several.

    Raises
    ------
    InvalidInput
        If the key, a content or the purpose is of the wrong type or length.

    Examples
    --------
    >>> uniform_draw(bytes(16), "an item", "held-out")
    0.9716494518230285
    """
    if isinstance(content, str):
        return int(_hash_bits(key, (content,), purpose)[0]) * 2.0**-53
    return _hash_bits(key, content, purpose).astype(np.float64) * 2.0**-53


@overload
def is_held_out(key: bytes, content: str, share: float) -> bool: ...  # type: ignore[overload-overlap]  # str first
@overload
def is_held_out(key: bytes, content: Iterable[str], share: float) -> NDArray[np.bool_]: ...
def is_held_out(key: bytes, content: str | Iterable[str], share: float) -> bool | NDArray[np.bool_]:
    """Whether a content belongs to the held-out set, which no model is ever trained on.

    With one key, a larger share holds out everything that a smaller one does.

    Parameters
    ----------
    key : bytes
        1 to 64 bytes, from :func:`new_key`.
    content : str or iterable of str
        Content keys.
    share : float
        Share of all distinct contents to hold out, in [0, 1].

    Returns
    -------
    bool or array of bool
        One for one content, an array of shape (n,) for several.

    Raises
    ------
    InvalidInput
        If `share` is outside [0, 1], or the key or a content is of the wrong type or length.
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(
            f"The share of contents to hold out must be in [0, 1], found {share!r}. 0.2 is usual."
        )
    held_out = uniform_draw(key, content, _HELD_OUT) < share
    return bool(held_out) if isinstance(content, str) else held_out


def audit_order(key: bytes, contents: Sequence[str]) -> NDArray[np.intp]:
    """Positions of `contents` in the order in which they are to be audited.

    A uniformly random order for a key that was drawn at random, and the same one whatever order the
    contents come in: the first n are a uniform draw without replacement. Contents that arrive later
    slot in by their own draw, and those audited are a uniform draw of old and new ones together only
    once everything that slotted in before the last one audited has been audited as well. Copies of
    one content stand side by side, in the order given.

    Parameters
    ----------
    key : bytes
        1 to 64 bytes, from :func:`new_key`.
    contents : sequence of str
        Content keys, n of them.

    Returns
    -------
    array of int
        Shape (n,): positions in `contents`, first to be audited first.

    Raises
    ------
    InvalidInput
        If the key or a content is of the wrong type or length.
    """
    return np.argsort(_hash_bits(key, contents, _AUDIT_ORDER), kind="stable")


def _hash_bits(key: bytes, contents: Iterable[str], purpose: str) -> NDArray[np.uint64]:
    """53 uniform bits for each content."""
    _check_key(key)
    person = _person(purpose)
    try:
        digests = [
            hashlib.blake2b(
                # an id read from a broken file may hold half a surrogate pair: it hashes as well
                content.encode("utf-8", "surrogatepass"),
                digest_size=_DRAW_BYTES,
                key=key,
                person=person,
            ).digest()
            for content in contents
        ]
    except (AttributeError, TypeError) as wrong:
        raise InvalidInput(
            f"Contents must be a str or several of them: {wrong}. "
            "Pass the content keys of the items (their ids where there is no content)."
        ) from None
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64) >> np.uint64(11)


def _check_key(key: bytes) -> None:
    if not isinstance(key, bytes) or not 1 <= len(key) <= _LONGEST_KEY:
        found = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
        raise InvalidInput(
            f"The key must be 1 to {_LONGEST_KEY} bytes, found {found}. Make one with new_key()."
        )


def _person(purpose: str) -> bytes:
    """BLAKE2b's personalisation; it is padded with NULs, so a purpose may not hold any."""
    person = purpose.encode("utf-8")
    if not 1 <= len(person) <= _LONGEST_PURPOSE or b"\0" in person:
        raise InvalidInput(
            f"The purpose of a draw must be 1 to {_LONGEST_PURPOSE} bytes without NUL, "
            f"found {purpose!r}. Use a short word, another one for each decision."
        )
    return person
