"""What people are told beside the answer; light to import, since each call of the program may need it."""

from __future__ import annotations

import sys

from ngffseg.text import plain


def tell(line: str) -> None:
    """Tell people of something beside the answer, on stderr, in one line."""
    sys.stderr.write(plain(line) + "\n")
