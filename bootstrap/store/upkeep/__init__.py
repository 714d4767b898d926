"""What looks after a store: checks, erasure, copies, upgrades."""

__all__: list[str] = []
