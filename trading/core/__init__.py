"""What is true of trading: pure functions over arrays, dataclasses and tables. No Django."""
