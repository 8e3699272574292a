"""How often a property is tried: a few times, always the same, in each run; many times in the long one.

``NGFFSEG_EXAMPLES=20 pytest -m hypothesis`` is the long run (``.ci/full``): twenty times as many, drawn anew.
"""

import os

from hypothesis import settings

TIMES = int(os.environ.get("NGFFSEG_EXAMPLES", "1"))


def examples(number, **options):
    """The settings of a property that is tried so often in each run."""
    return settings(max_examples=number * TIMES, derandomize=TIMES == 1, deadline=None, **options)
