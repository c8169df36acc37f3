"""The command of an https source, in the process that fetch starts: folder, address, then file names and checksums."""

import os
import sys
from threading import Thread


def main(folder: str, address: str, *checksums: str) -> None:
    import pooch

    def end():
        sys.stdin.read()  # until the process that started this one closes the pipe, or is killed
        os._exit(1)

    Thread(target=end, daemon=True).start()
    downloader = pooch.HTTPDownloader(timeout=30)
    try:
        for name, checksum in zip(checksums[::2], checksums[1::2], strict=True):
            pooch.retrieve(
                f"{address}{name}", f"sha256:{checksum}", fname=name, path=folder, downloader=downloader
            )
    except Exception as error:
        while isinstance(cause := getattr(error, "reason", None) or next(iter(error.args), None), Exception):
            error = cause  # requests wraps urllib3's error, which wraps the reason
        text = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
        sys.exit(text.partition(". ")[0].rpartition("): ")[2])


if __name__ == "__main__":
    main(*sys.argv[1:])
