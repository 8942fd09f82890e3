"""What is asked of trading: reads, never writes."""
