"""How folders of artifacts are named in rows and files: so that the same training names them alike on any machine."""

from __future__ import annotations

from pathlib import Path

from sensequant.lib import paths


def kept(folder: Path) -> str:
    """Return a folder as rows and artifacts name it: relative to SENSEQUANT_HOME when it lies under it."""
    home = paths.home()
    return str(folder.relative_to(home)) if folder.is_relative_to(home) else str(folder)


def found(text: str) -> str:
    """Return a folder somebody names, as it is kept.

    A relative one that is not under SENSEQUANT_HOME is looked for where the command was called.
    """
    folder = Path(text).expanduser()
    if not folder.is_absolute() and not paths.resolve(folder).exists() and folder.absolute().exists():
        return str(folder.absolute())
    return kept(paths.resolve(folder))
