"""Make mount(8), fstab and systemd find zarrfs: links to the program, and units.

Idempotent. A file that is not ours is never replaced or removed.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from zarrfs.errors import MountError

UNIT_MARK = "# Part of zarrfs."
"""How each installed unit begins; what begins otherwise is someone else's."""

UNIT_PROGRAM = "/usr/local/bin/zarrfs"
"""The program as the units name it; replaced by the link that is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One file to install: a link to the program, or a unit's text."""

    path: Path
    link_to: Path | None = None
    text: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether it is there, exactly so."""
        if self.link_to is not None:
            return self.path.is_symlink() and self.path.readlink() == self.link_to
        return self.path.is_file() and self.path.read_text(errors="replace") == self.text

    @property
    def is_foreign(self) -> bool:
        """Whether something that we did not install has this name."""
        if self.link_to is not None:
            if self.path.is_symlink():
                return self.path.readlink().name != self.link_to.name
            return self.path.exists()
        return self.path.exists() and not (
            self.path.is_file() and self.path.read_text(errors="replace").startswith(UNIT_MARK)
        )


def placements(prefix: Path | None = None) -> list[Placement]:
    """Return what is to be installed.

    Parameters
    ----------
    prefix
        Root of ``bin``, ``sbin`` and ``lib/systemd``. ``None``: the places where mount(8) and
        systemd look, ``/usr/local/bin``, ``/sbin`` and ``/etc/systemd``.
    """
    program = Path(sysconfig.get_path("scripts")) / "zarrfs"
    if not program.exists():
        raise MountError(f"there is no program {program}; install zarrfs with pip")
    if prefix is None:
        programs, helpers = Path("/usr/local/bin"), Path("/sbin")
        units = Path("/etc/systemd")
    else:
        prefix = prefix.absolute()
        programs, helpers = prefix / "bin", prefix / "sbin"
        units = prefix / "lib/systemd"
    link = programs / "zarrfs"
    found = [Placement(path=helpers / "mount.zarrfs", link_to=program)]
    if link != program:
        found.append(Placement(path=link, link_to=program))
    source = _unit_folder()
    for target, unit in (("system", "zarrfs@.service"), ("user", "user/zarrfs@.service")):
        text = (source / unit).read_text().replace(UNIT_PROGRAM, str(link))
        found.append(Placement(path=units / target / "zarrfs@.service", text=text))
    return found


def install(wanted: list[Placement]) -> list[Path]:
    """Install what is not there yet, all or nothing; return what was changed."""
    foreign = [placement.path for placement in wanted if placement.is_foreign]
    if foreign:
        raise MountError(f"{foreign[0]} is not of zarrfs; it is left alone, remove it yourself")
    changed = [placement for placement in wanted if not placement.is_installed]
    for placement in changed:
        try:
            _place(placement)
        except OSError as error:
            raise _cannot("write", placement.path, error) from error
    return [placement.path for placement in changed]


def remove(unwanted: list[Placement]) -> list[Path]:
    """Remove what is ours; return what was removed."""
    removed = []
    for placement in unwanted:
        if os.path.lexists(placement.path) and not placement.is_foreign:
            try:
                placement.path.unlink()
            except OSError as error:
                raise _cannot("remove", placement.path, error) from error
            removed.append(placement.path)
    return removed


def _place(placement: Placement) -> None:
    placement.path.parent.mkdir(parents=True, exist_ok=True)
    # A new name, then a rename: mount(8) finds the old helper or the new one, never none.
    new = placement.path.with_name(f".{placement.path.name}.{os.getpid()}")
    if placement.link_to is not None:
        new.symlink_to(placement.link_to)
    else:
        new.write_text(placement.text)
    new.replace(placement.path)


def _cannot(verb: str, path: Path, error: OSError) -> Exception:
    if isinstance(error, PermissionError) and os.geteuid() != 0:
        program = Path(sysconfig.get_path("scripts")) / "zarrfs"
        return MountError(
            f"cannot {verb} {path}: {error.strerror}; run: sudo {program} install-helper"
        )
    return MountError(f"cannot {verb} {path}: {error.strerror}")


def _unit_folder() -> Path:
    """Return the folder of the units: of a checkout, or as the wheel installs it."""
    for folder in (
        Path(__file__).parents[2] / "systemd",
        Path(sysconfig.get_path("data")) / "share/zarrfs/systemd",
    ):
        if (folder / "zarrfs@.service").is_file():
            return folder
    raise MountError(f"this installation of zarrfs in {sys.prefix} lacks the systemd units")
