"""Rates of this machine, kept in a file, for the labels of a plan."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ngffseg.dask_arrays import core_count
from ngffseg.planning.calibration import calibrate
from ngffseg.pyramid import PyramidPlan, Rates

# Measured on two cores of an AMD EPYC of 2024, for uint32 and zstd-3.
DEFAULT = Rates(
    start=1.35,
    read=2.5e-9,
    write=1.9e-9,
    chunk=8.2e-5,
    object=3.3e-5,
    scaling=0.85,
    packed=0.066,
    growth=1.86,
    memory=211e6,
)


def rates_for(plan: PyramidPlan, file: Path, *, measure: bool = False) -> tuple[Rates, str]:
    """Rates for labels such as those of a plan, and the name under which they were measured.

    Parameters
    ----------
    plan
        The plan.
    file
        Where rates are kept, as JSON.
    measure
        Measure them on this machine now, and keep them.

    Returns
    -------
    tuple
        The rates and their name; those of another machine, and no name, where none have been measured.
    """
    reduction = plan.reduction
    key = f"{plan.dtype} {plan.compression} {reduction.method} cascade={reduction.cascade}"
    known: dict[str, dict[str, float]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if measure:
        options: Any = {"codec": str(plan.compression), "method": reduction.method, "tie": reduction.tie}
        known[key] = asdict(calibrate(plan.dtype, core_count(), **options))
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(known, indent=2, allow_nan=False) + "\n", "utf-8")
        new.replace(file)
    return (Rates(**known[key]), key) if key in known else (DEFAULT, "")
