"""What is true of learning: arrays, tuples, tables; numpy and the standard library only."""
