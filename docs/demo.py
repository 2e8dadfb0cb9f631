"""Mount the climate data that comes with zarrfs, look at it in several ways, unmount it.

Every step is a command or a line of Python that you can repeat; each is shown before it runs.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[1]
STORE = "tests/data/bcsd/bcsd_v3.zarr.zip"
MONTHS = "January February March April May June July August September October November December"
JULY = MONTHS.split().index("July")
ON_TERMINAL = sys.stdout.isatty() and "NO_COLOR" not in os.environ
SHADES = ".:-=+*#%@"
COLOURS = np.array([(38, 52, 128), (54, 132, 170), (104, 190, 142), (240, 226, 100), (214, 74, 46)])


def title(text: str) -> None:
    """Say what comes next."""
    bold, plain = ("\033[1m", "\033[0m") if ON_TERMINAL else ("", "")
    print(f"\n{bold}{text}{plain}")


def run(*command: str) -> str:
    """Show a command, run it, show and return what it says."""
    print("$ " + shlex.join(command), flush=True)
    result = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    print(result.stdout, end="", flush=True)
    return result.stdout


def picture(field: npt.NDArray[np.float32]) -> str:
    """Draw a field, two of its rows in each line; NaN stays blank."""
    low, high = np.nanpercentile(field, (1, 99))
    place = np.clip((field - low) / (high - low), 0, 1)
    draw_line = colour_line if ON_TERMINAL else plain_line
    return "\n".join(map(draw_line, place[::2], place[1::2]))


def plain_line(row: npt.NDArray[np.float32], _below: npt.NDArray[np.float32]) -> str:
    """Draw one row, in characters."""
    cells = (" " if np.isnan(at) else SHADES[round(at * (len(SHADES) - 1))] for at in row)
    return "".join(cells).rstrip()


def colour_line(row: npt.NDArray[np.float32], below: npt.NDArray[np.float32]) -> str:
    """Draw two rows, as the upper and lower halves of blocks."""
    cells = []
    for upper, lower in zip(row, below, strict=True):
        if np.isnan(upper):
            cells.append(f"{paint(38, lower)}▄" if not np.isnan(lower) else " ")
        else:
            cells.append(f"{paint(38, upper)}{paint(48, lower)}▀")
        cells.append("\033[0m")
    return "".join(cells)


def paint(layer: int, place: float) -> str:
    """Choose the colour of the ink (38) or the ground (48), for a number from 0 to 1 or NaN."""
    if np.isnan(place):
        return f"\033[{layer + 1}m"  # the terminal's own
    steps = np.linspace(0, 1, len(COLOURS))
    return (
        f"\033[{layer};2;" + ";".join(f"{np.interp(place, steps, c):.0f}" for c in COLOURS.T) + "m"
    )


def look(mount_point: Path) -> None:
    """Read the mounted data as a user would."""
    title("One tree for each format: the raw keys, flat files, NumPy files.")
    run("ls", str(mount_point))
    flat_file = next(mount_point.glob("bin/**/tas.bin"))
    run("ls", "-lh", str(flat_file.parent))
    sidecar = json.loads(flat_file.with_suffix(".json").read_text())
    dtype, shape = sidecar["dtype"], tuple(sidecar["shape"])

    row, column = shape[1] // 2, shape[2] // 2
    index = (JULY, row, column)
    element = int(np.ravel_multi_index(index, shape))
    title(f"Any program reads any bytes. Element {index} of the temperatures {shape} with dd:")
    shown = run(
        "sh",
        "-c",
        f"dd if={shlex.quote(str(flat_file))} bs=4 skip={element} count=1 status=none"
        " | od -A n -t f4",
    )

    title("The same element through a memory map:")
    print(f'>>> tas = np.memmap("{flat_file}", "{dtype}", "r", shape={shape})')
    tas = np.memmap(flat_file, dtype, "r", shape=shape)
    print(f">>> tas[{JULY}, {row}, {column}]\n{tas[index]!s}")
    if not np.isclose(float(shown), tas[index]):
        raise ValueError(f"dd read {shown.strip()}, but the memory map says {tas[index]}")

    field = np.where(tas[JULY] < 1e19, tas[JULY], np.nan)[::-1]  # north is up; 1e20 is the sea
    title(
        f"Monthly mean temperature, July 1999, {np.nanmin(field):.1f} to {np.nanmax(field):.1f} °C:"
        " the Carolinas, from the Appalachians to the Atlantic"
    )
    width = min(field.shape[1], shutil.get_terminal_size((80, 24)).columns)
    field = field[:, np.linspace(0, field.shape[1] - 1, width).round().astype(int)]
    print(picture(field))
    del tas, field  # a mapped file keeps a mount busy


def main() -> None:
    """Mount, look, unmount, whatever happens in between."""
    zarrfs = str(Path(sys.executable).with_name("zarrfs"))
    mount_point = Path(tempfile.mkdtemp(prefix="zarrfs-demo-"))
    try:
        title(f"Mounting {STORE}: a Zarr hierarchy in a zip file, compressed, in chunks.")
        run(zarrfs, "mount", STORE, str(mount_point), "-o", "ro")
        look(mount_point)
        rain = next(mount_point.glob("npy/**/pr.npy")).relative_to(mount_point)
    except BaseException as error:
        # It would hold on to what `look` had open, and a mapped file keeps a mount busy.
        error.__traceback__ = None
        raise
    finally:
        if mount_point.is_mount():
            title("Unmounting.")
            run(zarrfs, "umount", str(mount_point))
        mount_point.rmdir()

    title("What to try next")
    for line in (
        f"export PATH={shlex.quote(str(Path(zarrfs).parent))}:$PATH",
        "mkdir -p /tmp/climate",
        f"zarrfs mount {shlex.quote(str(ROOT / STORE))} /tmp/climate",
        "cat /tmp/climate/README.txt",
        f'python -c \'import numpy as np; rain = np.load("/tmp/climate/{rain}", mmap_mode="r");'
        " print(rain.shape, rain[6, 16, 40])'",
        "zarrfs umount /tmp/climate",
        "zarrfs --help",
    ):
        print("  " + line)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; nothing is left mounted")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the demo stopped: {shlex.join(error.cmd)} failed (exit code {error.returncode})")
    except (OSError, ValueError, StopIteration) as error:
        sys.exit(f"the demo stopped: {type(error).__name__}: {error}")
