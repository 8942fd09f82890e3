"""What is remembered of learning."""

__all__: list[str] = []
