"""What is decided about a write before its first byte."""
