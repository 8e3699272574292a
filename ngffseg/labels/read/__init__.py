"""Opening and reading what is stored; nothing here writes."""
