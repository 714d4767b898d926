"""People at desks: who gets which question, what their answers make of it, and who they are."""

__all__: list[str] = []
