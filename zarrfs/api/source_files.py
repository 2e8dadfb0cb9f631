"""A file with the elements of an array, flat or ``.npy`` -> boxes of them, read when asked for.

Read by ``pread``, not mapped: a file that is cut short meanwhile, or a disk that fails, is an error
then, and not a signal that ends the process.
"""

from __future__ import annotations

import io
import math
import os
import stat
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from zarrfs.errors import SourceError
from zarrfs.flat.element_order import flat_dtype

if TYPE_CHECKING:
    import numpy.typing as npt

    from zarrfs.arrays.regions import Box
    from zarrfs.format.metadata import ArrayMetadata

STANDARD_INPUT = "-"


class ElementSource(ABC):
    """The elements of an array to be, from its first to its last.

    Parameters
    ----------
    name
        Of the file, for messages.
    """

    shape: tuple[int, ...] | None = None
    """Shape that the file tells; ``None`` if it tells none."""

    dtype: np.dtype[Any] | None = None
    """Type of its elements, byte order included; ``None`` if it does not tell."""

    is_sequential = False
    """Boxes can only be read one behind the other: each must be a row of the array, or several."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def fit(self, metadata: ArrayMetadata) -> None:
        """Make ready to fill an array.

        Raises
        ------
        SourceError
            If the elements are not as many, or cannot become elements of the array.
        """

    @abstractmethod
    def read(self, box: Box) -> npt.NDArray[Any]:
        """Return a box of elements.

        Raises
        ------
        SourceError
            If the file cannot be read, or has come to its end.
        """

    def finish(self) -> None:
        """Do what is to be done when all boxes have been read.

        Raises
        ------
        SourceError
            If there is more in the file.
        """
        return

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def is_below(self, folder: str) -> bool:
        """Whether the file lies in a directory, or in one below it."""
        return False


def open_source(path: str) -> ElementSource:
    """Open a file: ``-`` for standard input; ``.npy`` by its name; else flat.

    A pipe is read as standard input is.

    Raises
    ------
    SourceError
        If it cannot be opened, or is no such file.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise SourceError("standard input", "is closed")
        file = sys.stdin.buffer
        return _Stream("standard input", file.raw if isinstance(file, io.BufferedReader) else file)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(path, f"cannot be opened: {reason}") from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        os.close(descriptor)
        raise SourceError(path, "is a directory; give a flat file or a .npy file")
    if path.endswith(".npz"):
        os.close(descriptor)
        raise SourceError(path, "is a zip of .npy files; unpack it, and give one of them")
    if not stat.S_ISREG(mode):
        return _Stream(path, os.fdopen(descriptor, "rb", buffering=0))
    try:
        return _NpyFile(path, descriptor) if path.endswith(".npy") else _FlatFile(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise


class _File(ElementSource):
    """A regular file, with elements in C or Fortran order from some offset on."""

    _offset = 0
    _is_fortran = False

    def __init__(self, name: str, descriptor: int) -> None:
        super().__init__(name)
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype("u1")

    def read(self, box: Box) -> npt.NDArray[Any]:
        if self._is_fortran:
            return self._read(self._shape[::-1], box[::-1]).T
        return self._read(self._shape, box)

    def close(self) -> None:
        os.close(self._descriptor)

    def is_below(self, folder: str) -> bool:
        return Path(self.name).resolve().is_relative_to(Path(folder).resolve())

    def _read(self, shape: tuple[int, ...], box: Box) -> npt.NDArray[Any]:
        """Read a box of an array in C order, a run of neighbouring elements at a time."""
        result: npt.NDArray[Any] = np.empty([stop - start for start, stop in box], self._dtype)
        if not result.size:
            return result
        itemsize = self._dtype.itemsize
        data = result.reshape(-1).view(np.uint8).data
        n_outer = len(box)
        run = itemsize
        while n_outer:
            n_outer -= 1
            start, stop = box[n_outer]
            run *= stop - start
            if stop - start < shape[n_outer]:
                break
        strides = [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        first = self._offset + sum(s * start for s, (start, _) in zip(strides, box, strict=True))
        for number, index in enumerate(np.ndindex(*result.shape[:n_outer])):
            at = first + sum(s * i for s, i in zip(strides, index, strict=False))
            self._read_run(data[number * run : (number + 1) * run], at)
        return result

    def _read_run(self, data: memoryview, offset: int) -> None:
        done = 0
        while done < len(data):
            try:
                n_read = os.preadv(self._descriptor, [data[done:]], offset + done)
            except OSError as error:
                raise SourceError(self.name, f"cannot be read: {error.strerror}") from error
            if not n_read:
                raise SourceError(self.name, "was cut short while it was read")
            done += n_read


class _FlatFile(_File):
    """Elements in C order, little-endian, and nothing else."""

    def fit(self, metadata: ArrayMetadata) -> None:
        self._shape, self._dtype = metadata.shape, flat_dtype(metadata, "little")
        wanted = metadata.size * self._dtype.itemsize
        if self._size != wanted:
            raise SourceError(self.name, _wrong_size(self._size, wanted, metadata))


class _NpyFile(_File):
    """What `numpy.save` writes."""

    def __init__(self, name: str, descriptor: int) -> None:
        super().__init__(name, descriptor)
        try:
            with os.fdopen(os.dup(descriptor), "rb") as file:
                version = np.lib.format.read_magic(file)
                read_header = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[version]
                shape, self._is_fortran, self._dtype = read_header(file)
                self._offset = file.tell()
        except KeyError as error:
            raise SourceError(name, f"is of an unknown version of .npy: {error}") from error
        except (ValueError, OSError, SyntaxError, TypeError) as error:
            raise SourceError(name, f"is no .npy file: {error}") from error
        self.shape = self._shape = shape
        self.dtype = self._dtype
        if self._dtype.hasobject:
            raise SourceError(name, "holds pickled Python objects, which are not read")
        wanted = self._offset + math.prod(shape) * self._dtype.itemsize
        if self._size < wanted:
            reason = f"has {self._size} bytes, but its header tells of {wanted}: it was cut short"
            raise SourceError(name, reason)

    def fit(self, metadata: ArrayMetadata) -> None:
        if self._shape != metadata.shape:
            reason = f"has the shape {self._shape}, and the array {metadata.shape}"
            raise SourceError(self.name, f"{reason}; leave out --shape to take the file's")
        if not np.can_cast(self._dtype, metadata.dtype, "same_kind"):
            reason = f"has elements of type {self._dtype}, which cannot become "
            raise SourceError(self.name, f"{reason}{metadata.data_type.name}")


class _Stream(ElementSource):
    """A flat file whose size shows at its end.

    Read without a buffer, so that each piece comes back to Python, where an interrupt is noticed.
    """

    is_sequential = True

    def __init__(self, name: str, file: io.RawIOBase | BinaryIO) -> None:
        super().__init__(name)
        self._file = file
        self._n_read = 0

    def fit(self, metadata: ArrayMetadata) -> None:
        self._metadata, self._dtype = metadata, flat_dtype(metadata, "little")

    def read(self, box: Box) -> npt.NDArray[Any]:
        result: npt.NDArray[Any] = np.empty([stop - start for start, stop in box], self._dtype)
        data = result.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(data):
            n_read = self._read_into(data[done:])
            if not n_read:
                wanted = self._metadata.size * self._dtype.itemsize
                size = self._n_read + done
                raise SourceError(self.name, _wrong_size(size, wanted, self._metadata))
            done += n_read
        self._n_read += done
        return result

    def finish(self) -> None:
        if self._read_into(memoryview(bytearray(1))):
            wanted = self._n_read
            reason = f"has more than the {wanted} bytes of the array"
            raise SourceError(self.name, reason)

    def close(self) -> None:
        self._file.close()

    def _read_into(self, data: memoryview) -> int:
        try:
            n_read: int | None = self._file.readinto(data)  # type: ignore[union-attr]  # typeshed lacks it
        except OSError as error:
            raise SourceError(self.name, f"cannot be read: {error.strerror}") from error
        if n_read is None:
            raise SourceError(self.name, "has no data now, and is set not to wait for them")
        return n_read


def _wrong_size(size: int, wanted: int, metadata: ArrayMetadata) -> str:
    itemsize = metadata.dtype.itemsize
    product = f"{metadata.size} elements of {itemsize} bytes"
    return f"has {size} bytes, but the array takes {wanted} ({product})"
