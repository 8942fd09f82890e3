"""The admin pages of learning: rows can be looked up, changes go through the services."""

__all__: list[str] = []
