"""Prints how large built layers are, zipped as Lambda stores them: `python bench/layer_size.py .aws-sam/build/*Layer`."""

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
    for layer in map(Path, sys.argv[1:]):
        print(f"{layer.name}, zipped: {zipped_size(layer) / 1024 / 1024:.2f} MiB")
