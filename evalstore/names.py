"""Names of jobs and workspaces, references to metrics, datasets and models, and how a question names a job."""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass

from evalstore.errors import InvalidName

__all__ = ["DEFAULT_WORKSPACE", "Address", "check_name", "parse_address", "reference", "text"]

DEFAULT_WORKSPACE = "default"
LONGEST = 200
_SHOWN = 60  # characters of a refused name that a message repeats
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*")
_LAST = re.compile(r"@last(?:~(\d+))?")


def check_name(name: str, what: str = "job") -> str:
    """The name itself, when it may name a job or workspace: it becomes the name of a folder.

    Raises: InvalidName, with the nearest allowed name.
    """
    if isinstance(name, str) and len(name) <= LONGEST and _NAME.fullmatch(name):
        return name
    if not isinstance(name, str):
        raise InvalidName(f"a {what} name is text, not {type(name).__name__}")
    nearest = re.sub(r"[^A-Za-z0-9._@+-]+", "-", name).lstrip("._@+-").rstrip("-")[:LONGEST] or "unnamed"
    shown = ascii(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!a}... ({len(name)} characters)"
    raise InvalidName(
        f"{shown} cannot name a {what}: a letter or digit, then letters, digits and . _ @ + -, "
        f"{LONGEST} characters at most; nearest allowed: {nearest!r}"
    )


def text(value: str | None, what: str) -> str | None:
    """The value itself, where it is text or None. Raises: InvalidName."""
    if value is None or isinstance(value, str):
        return value
    raise InvalidName(f"{what} is text, not {value!r}")


def reference(text: str | None, what: str = "reference") -> str | None:
    """A reference as `workspace/name`; a bare name means `default/name`. The name may hold dots, capitals and slashes.

    Raises: InvalidName.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidName(f"a {what} is text like 'openai/gsm8k', not {type(text).__name__}")
    workspace, slash, name = text.partition("/")
    if not slash:
        workspace, name = DEFAULT_WORKSPACE, text
    if not workspace or not name or any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidName(f"{text!a} is no {what}: write 'workspace/name' or a bare name, without control characters")
    return f"{workspace}/{name}"


@dataclass(frozen=True, slots=True)
class Address:
    """A job as a question names it.

    By workspace and name, as the n-th newest completed one (`last`, from 0), or as the one that a baseline is.
    """

    workspace: str
    name: str | None
    last: int | None = None
    baseline: str | None = None


def parse_address(text: str, workspace: str) -> Address:
    """Reads `NAME`, `workspace/NAME`, `@last`, `@last~1` or `@BASELINE`.

    Raises: InvalidName.
    """
    if isinstance(text, str):
        if match := _LAST.fullmatch(text):
            return Address(workspace, None, min(int(match[1] or 0), sys.maxsize))
        if text.startswith("@"):
            if text.startswith("@last"):
                raise InvalidName(f"{text!r} names no job: write NAME, workspace/NAME, @last, @last~1 or @BASELINE")
            return Address(workspace, None, baseline=check_name(text[1:], "baseline"))
        if "/" in text:
            space, _, name = text.partition("/")
            return Address(check_name(space, "workspace"), check_name(name))
    return Address(workspace, check_name(text))
