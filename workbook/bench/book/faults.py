"""What a reader of the site would stumble over: dead links, images without words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}
NOTHING = "data:,"  # an image that draws nothing and carries a script
FETCHING = ("stylesheet", "preload", "icon", "preconnect")  # what a <link> may fetch


@dataclass
class _Page(HTMLParser):
    """One page: the places in it, where it leads, and the images without words."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if "id" in has:
            self.ids.add(has["id"])
        if tag == "a" and has.get("href"):
            self.links.append(has["href"])
        address = has.get(FETCHED.get(tag, ""))
        if address and (tag != "link" or has.get("rel") in FETCHING):
            self.fetched.append(address)
        if tag == "img" and not has.get("alt") and has.get("src") != NOTHING:
            self.untold.append(f"an image without words ({has.get('src', '')[:40]})")
        if tag == "svg" and has.get("role") == "img" and not has.get("aria-label"):
            self.untold.append("a picture without words")


def faults(site: Path) -> list[str]:
    """One sentence for each fault of a site, with its page; none where all is well."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    return [
        f"{path.relative_to(site).as_posix()}: {wrong}"
        for path, page in pages.items()
        for wrong in (*page.untold, *_lost(path, page, pages))
    ]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def _lost(path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    """Links to what is not there, and what would be fetched from elsewhere."""
    for address in page.fetched:
        if urlsplit(address).netloc:
            yield f"fetches {address} from the network"
    for address in (*page.links, *page.fetched):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists():
            yield f"leads to {address}, which is not there"
        elif parts.fragment and unquote(parts.fragment) not in _ids(target, pages):
            yield f"leads to {address}: there is no such place on the page"


def _ids(target: Path, pages: dict[Path, _Page]) -> set[str]:
    page = pages.get(target)
    return page.ids if page else set()
