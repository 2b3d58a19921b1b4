"""An error in words, with the whole command that mends a table where several things are wrong with it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from assay.errors import AssayError, InputError


def words_of(error: AssayError, arguments: Sequence[str]) -> str:
    """The message of an error of `assay run ARGUMENTS`; a message of several lines ends with the command that mends."""
    said = str(error)
    if not isinstance(error, InputError) or not error.mends or "\n" not in said:
        return said
    keys = {mend.partition("=")[0] for mend in error.mends}
    others = [argument for argument in arguments if argument.lstrip("+").partition("=")[0] not in keys]
    return f"{said}\n  the whole command: {shlex.join(['assay', 'run', *others, *error.mends])}"
