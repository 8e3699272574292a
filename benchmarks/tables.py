"""The tables of ``docs/benchmarks.md``: each stands between two marks, and is put there by its benchmark."""

from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def put(name: str, lines: list[str]) -> None:
    """Replace the table of this name."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(first)
    after = rest.partition(last)[2]
    body = "\n".join([first, *lines, last])
    PAGE.write_text(before + body + after, encoding="utf-8")
