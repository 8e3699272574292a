"""The operations that write all chunks of a label image."""
