"""`import evalstore`, against Python that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks import alone, figures

TIMES = 15


def test_importing():
    with_it, without = [], []
    for _ in range(TIMES):
        with_it.append(started("import evalstore"))
        without.append(started("pass"))
    more = statistics.median(with_it) - statistics.median(without)
    figures.note(
        "import",
        f"{more:.3f} s more than Python alone",
        missed=more > 0.15,
        peak_mb=alone.run(imported).peak_mb,
        ratio=statistics.median(with_it) / statistics.median(without),
        seconds=statistics.median(with_it),
        bare_seconds=statistics.median(without),
    )


def started(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=alone.ROOT)
    return time.perf_counter() - begun


def imported() -> None:
    import evalstore  # noqa: F401
