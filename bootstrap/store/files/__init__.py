"""Items and labels in and out, as files of other programs."""

__all__: list[str] = []
