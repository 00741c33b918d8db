"""Prints how large the built layer is, zipped as Lambda stores it: `python bench/layer_size.py .aws-sam/build/CoreLayer`."""

import io
import sys
import zipfile
from pathlib import Path


def zipped_size(folder: Path) -> int:
    """Return the bytes of the folder's zip, at zip's usual compression."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return buffer.getbuffer().nbytes


if __name__ == "__main__":
    print(f"layer, zipped: {zipped_size(Path(sys.argv[1])) / 1024 / 1024:.2f} MiB")
