"""What a loop writes into a store, and how it reads it back."""

__all__: list[str] = []
