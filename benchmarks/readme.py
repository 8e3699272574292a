"""The tables of the README: each stands between two marks, and is put there by its benchmark."""

from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def put(name: str, lines: list[str]) -> None:
    """Replace the table of this name."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = README.read_text(encoding="utf-8").partition(first)
    after = rest.partition(last)[2]
    body = "\n".join([first, *lines, last])
    README.write_text(before + body + after, encoding="utf-8")
