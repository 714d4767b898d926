"""The items of a loop: which are the same, where each of them is, and what people see of them."""

from bootstrap.pool.places import Place
from bootstrap.pool.pool import Added, Pool

__all__ = ["Added", "Place", "Pool"]
