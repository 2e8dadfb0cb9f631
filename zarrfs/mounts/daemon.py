"""The process of a mount, in the background or in the foreground.

``python -m zarrfs.mounts.daemon MOUNTPOINT`` takes its configuration from standard input, so that
credentials never show in ``ps``, and tells on standard output, a JSON object a line, first its
pid, then that the mount answers, or why not (see `zarrfs.mounts.process`).
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import signal
import sys
import traceback
from dataclasses import asdict
from typing import IO, Any

from zarrfs.errors import UrlError, UsageError, ZarrfsError
from zarrfs.mounts.config import MountConfig, parse_config
from zarrfs.mounts.logs import hide, log_stderr, start_log
from zarrfs.mounts.preflight import claim
from zarrfs.mounts.serving import end_process, secrets_of, serve
from zarrfs.mounts.state import MountFolder, MountInfo, make_mount_folder
from zarrfs.mounts.systemd import notify

log = logging.getLogger("zarrfs.mounts.daemon")  # also when run as __main__


def serve_in_foreground(config: MountConfig) -> None:
    """Serve a mount in this process, log to standard error, and tell systemd.

    Does not return after the mount has ended, but ends the process: threads that hang in a store
    would keep it.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(claim(config))
        folder = make_mount_folder(config.mountpoint)
        _start_log(config, folder, in_foreground=True)

        def ready(_: MountInfo, notes: list[str]) -> None:
            for note in notes:
                log.info(note)
            stack.close()  # others may try to mount here now, and be refused
            notify("READY=1")

        try:
            serve(config, folder, ready)
        finally:
            notify("STOPPING=1")
            folder.remove()
    end_process(0)


def serve_in_background(config: MountConfig, status: IO[str]) -> None:
    """Serve a mount, log to a file, and let go of the starter's pipes once it is ready."""
    folder = make_mount_folder(config.mountpoint)
    _start_log(config, folder)
    # SIGUSR1 and crashes write what every thread does beside the log; it is a few KiB a time.
    with (folder.path / "stacks").open("w") as stacks:
        faulthandler.enable(stacks)
        faulthandler.register(signal.SIGUSR1, stacks)

        def ready(info: MountInfo, notes: list[str]) -> None:
            os.chdir("/")  # the folder we were started in can be unmounted
            log_stderr()
            try:
                with status:
                    _tell(status, ready=asdict(info), notes=notes)
            except BrokenPipeError:
                # Who started us was ended, and nobody knows of this mount: take it back.
                os.kill(os.getpid(), signal.SIGTERM)

        try:
            serve(config, folder, ready)
        finally:
            faulthandler.unregister(signal.SIGUSR1)
            faulthandler.disable()
            folder.remove()


def main() -> None:
    """Become the daemon of one mount."""
    status = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
    config = parse_config(sys.stdin.read())
    # The starter may live long: as a child of init the daemon never waits for it as a zombie.
    if os.fork():
        os._exit(0)
    _tell(status, pid=os.getpid())  # ends us if the starter is gone
    try:
        serve_in_background(config, status)
    except Exception as error:
        log.exception("the mount has ended")
        if not status.closed:
            _tell(status, **_described(error, secrets_of(config)))
        end_process(1)
    end_process(0)


def _start_log(config: MountConfig, folder: MountFolder, *, in_foreground: bool = False) -> None:
    debug, secrets = config.options.debug, secrets_of(config)
    start_log(folder.log, debug=debug, secrets=secrets, in_foreground=in_foreground)


def _tell(status: IO[str], **message: Any) -> None:
    print(json.dumps(message), file=status, flush=True)


def _described(error: Exception, secrets: list[str]) -> dict[str, Any]:
    is_known = isinstance(error, ZarrfsError)
    text = str(error) if is_known else f"{type(error).__name__}: {error}"
    return {
        "error": hide(text, secrets),
        "usage": isinstance(error, UsageError | UrlError),
        "traceback": hide(traceback.format_exc(), secrets),
    }


if __name__ == "__main__":
    main()
