"""Parts of the pages that are made from the program while they are built."""
