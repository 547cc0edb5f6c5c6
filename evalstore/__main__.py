"""`python -m evalstore` is `evalstore`."""

from __future__ import annotations

from evalstore.cli import main

if __name__ == "__main__":
    main()
