import contextlib
import os


def attack(_judge, aims):
    for name in (".", ".."):
        with contextlib.suppress(OSError):
            os.symlink(aims["folder"], f"{name}/folder")
        with contextlib.suppress(OSError):
            os.symlink("/", f"{name}/root")
        with contextlib.suppress(OSError):
            os.mkfifo(f"{name}/pipe")
        with contextlib.suppress(OSError):
            open(os.path.join(os.fsencode(name), b"\xff\n\x1b[2J" + b"x" * 200), "w").close()
        with contextlib.suppress(OSError):
            os.makedirs(f"{name}/locked/inner")
            os.chmod(f"{name}/locked", 0)
