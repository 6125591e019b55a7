"""Text files that a command makes: written only where they differ."""

from pathlib import Path


def write(text: str, path: Path) -> bool:
    """Write text, its line ends as they are; whether there was something to write."""
    data = text.encode("utf-8")
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return True
