"""Fetching is tried against a server on this machine that can stall, cut and lie."""

import errno
import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request

import pytest

from workbook import data, download

SHIPPED = Path(data.__file__).resolve().parents[1] / "data"
NAMES = "".join(f"{a}{b}na\n" for a in "abcdefgh" for b in "aeiou").encode() * 25
PLAY = b"First Raker:\nLay by thy rake.\n" * 40
RANKS = b"IQ== 0\nIg== 1\n" * 30
HERE = "127.0.0.1"
NEXT_TIME = (
    "working with the 3 sample names that come with the course. Numbers will differ "
    "from those of the lecture; `make lab` tries again next time.\n"
)


# --- A server, and a course of its own ----------------------------------------


@dataclass
class Server:
    """What the next answers look like, and what was asked."""

    files: dict[str, bytes]
    port: int = 0
    resumes: bool = True
    says_length: bool = True
    status: int = 0  # answer with this and nothing else
    stops_after: int | None = None  # bytes, and then the connection ends ...
    stalls: bool = False  # ... or nothing more comes
    drips: float = 0.0  # seconds before each piece of 100 bytes
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, body = self.headers["Range"], server.files.get(self.path[1:])
            server.asked.append((self.path, wanted))
            server.agents.add(self.headers["User-Agent"])
            if server.stalls and server.stops_after is None:
                server.over.wait(5)
            elif server.status or body is None:
                self.send_error(server.status or 404)
            else:
                self.answer(body, wanted)

        def answer(self, body: bytes, wanted: str | None) -> None:
            start = int(wanted[6:-1]) if wanted and server.resumes else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"
                )
            if server.says_length:
                self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.send(body[start : server.stops_after])
            if server.stalls:
                server.over.wait(5)

        def send(self, body: bytes) -> None:
            step = 100 if server.drips else len(body) or 1
            for at in range(0, len(body), step):
                if server.over.wait(server.drips):
                    return
                self.wfile.write(body[at : at + step])

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(
        {"names.txt": NAMES, "tinyshakespeare.txt": PLAY, "ranks.tiktoken": RANKS}
    )
    http = ThreadingHTTPServer((HERE, 0), handler_of(made))
    http.handle_error = lambda *args: None  # a client that has gone is no news
    made.port = http.server_port
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.over.set()
    http.shutdown()
    http.server_close()


def table(name: str, file: str, url: str, body: bytes, extra: str = "") -> str:
    return f"""
[[files]]
name = "{name}"
file = "{file}"
url = "{url}/{file}"
bytes = {len(body)}
sha256 = "{hashlib.sha256(body).hexdigest()}"
licence = "none"
source = "a test"
{extra}
"""


def samples(stand_in: str, sample: str) -> str:
    return f'sample = "{sample}"\nstand_in = "{stand_in}"'


def write_manifest(folder: Path, url: str) -> None:
    names = samples(
        "the {lines:,} sample names that come with the course", "sample_names.txt"
    )
    play = samples("the sample play of {characters:,} characters", "sample_play.txt")
    (folder / "manifest.toml").write_text(
        table("names", "names.txt", url, NAMES, names)
        + table("play", "tinyshakespeare.txt", url, PLAY, play)
        + table("ranks", "ranks.tiktoken", url, RANKS)
    )


@pytest.fixture
def folder(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """data/ of a course whose files lie on the server; nothing is remembered."""
    made = tmp_path / "data"
    made.mkdir()
    write_manifest(made, server.url)
    (made / "sample_names.txt").write_text("ada\nbo\ncy\n")
    (made / "sample_play.txt").write_text("Raker:\nNo.\n")
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    for name in ("DATA_MIRROR", "WORKBOOK_CHECK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(data, "_said", set())
    monkeypatch.setattr(data, "_standing_in", set())
    monkeypatch.setattr(download, "_failed", {})
    monkeypatch.setattr(download, "headless", lambda: True)
    return made


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second of patience."""
    monkeypatch.setattr(download, "_ANSWER", 0.5)
    monkeypatch.setattr(download, "_PIECE", 0.5)


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def changed(body: bytes) -> bytes:
    """The same with one byte changed."""
    return body[:700] + b"z" + body[701:]


def reason(name: str = "names") -> str:
    """Why fetching fails, as a sentence puts it into brackets."""
    with pytest.raises(data.NotFetched) as caught:
        data.fetch(name)
    return caught.value.reason


def lying(folder: Path) -> set[str]:
    """What lies in data/ beside what is shipped, hidden files left out."""
    shipped = {"manifest.toml", "sample_names.txt", "sample_play.txt"}
    return {p.name for p in folder.iterdir() if p.name[0] != "."} - shipped


# --- With a network -----------------------------------------------------------


def test_first_use_fetches_and_the_second_asks_nobody(folder, server, capsys):
    assert len(data.names()) == 1_000
    assert len(data.names()) == 1_000
    assert server.asked == [("/names.txt", None)]
    assert (folder / "names.txt").read_bytes() == NAMES
    assert lying(folder) == {"names.txt"}
    assert capsys.readouterr() == ("", "")
    assert re.fullmatch(r"zero-to-hero-workbook/[\d.]+", server.agents.pop())


def test_a_file_goes_by_its_name_and_by_its_file_name(folder):
    assert data.path("play") == data.path("tinyshakespeare.txt")
    assert data.play() == PLAY.decode()


def test_a_real_file_is_no_sample(folder):
    assert not data.is_sample("names")
    assert not data.is_sample("ranks")


def test_a_body_of_unsaid_length_is_taken_too(folder, server):
    server.says_length = False
    assert data.fetch("names").read_bytes() == NAMES


def test_fetch_all_says_what_came_and_then_nothing(folder, server):
    assert data.fetch_all() == [
        "names.txt is in place (0.1 MB).",
        "tinyshakespeare.txt is in place (0.1 MB).",
        "ranks.tiktoken is in place (0.1 MB).",
    ]
    assert data.fetch_all() == []
    assert len(server.asked) == 3


def test_two_processes_fetch_once(folder, server):
    server.drips = 0.02
    code = "from workbook import data; print(len(data.names()))"
    both = [subprocess.Popen(*child(code), stdout=subprocess.PIPE) for _ in range(2)]
    assert [one.communicate(timeout=10)[0] for one in both] == [b"1000\n"] * 2
    assert len(server.asked) == 1


def child(code: str) -> tuple[list[str]]:
    return ([sys.executable, "-c", code],)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process finds the package, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(SHIPPED.parent))


def test_who_waits_for_another_process_too_long_is_told(folder, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(data, "_WAIT", 0.1)
    with FileLock(folder / ".names.txt.lock"):
        assert reason() == "another process is still fetching it after 0.1 s"


# --- Interrupted --------------------------------------------------------------


@pytest.mark.parametrize("start", [1, 700, len(NAMES) - 1])
def test_a_partial_is_resumed(folder, server, start):
    (folder / "names.txt.part").write_bytes(NAMES[:start])
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked == [("/names.txt", f"bytes={start}-")]
    assert lying(folder) == {"names.txt"}


def test_a_whole_partial_is_put_in_place_without_the_network(folder, server):
    (folder / "names.txt.part").write_bytes(NAMES)
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked == []


def test_a_server_that_does_not_resume_is_taken_from_the_start(folder, server):
    server.resumes = False
    (folder / "names.txt.part").write_bytes(NAMES[:700])
    assert data.fetch("names").read_bytes() == NAMES
    assert len(server.asked) == 1


@pytest.mark.parametrize("stale", [b"another text", b"x" * 9_999])
def test_a_stale_partial_is_discarded_and_fetched_anew(folder, server, stale):
    (folder / "names.txt.part").write_bytes(stale)
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked[-1] == ("/names.txt", None)
    assert lying(folder) == {"names.txt"}


def test_a_refused_range_is_asked_for_from_the_start(folder, server):
    (folder / "names.txt.part").write_bytes(NAMES[:700])
    server.status = 416
    assert (
        reason() == f"{HERE}:{server.port} answers 416 Requested Range Not Satisfiable"
    )
    assert [wanted for _, wanted in server.asked] == ["bytes=700-", None]


def test_a_truncated_file_is_kept_as_a_partial_and_completed_later(
    folder, server, monkeypatch
):
    server.stops_after = 1_500
    monkeypatch.setattr(download, "_REST", 0)
    assert (
        reason() == f"{HERE}:{server.port} stopped sending after 1,500 of 5,000 bytes"
    )
    assert lying(folder) == {"names.txt.part"}
    server.stops_after = None
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked[-1] == ("/names.txt", "bytes=1500-")


# --- Without a network --------------------------------------------------------


def no_such_host(*args: object, **named: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def no_route(*args: object, **named: object) -> None:
    raise OSError(errno.ENETUNREACH, "Network is unreachable")


@pytest.mark.parametrize(
    "broken", [("getaddrinfo", no_such_host), ("create_connection", no_route)]
)
def test_without_a_network_the_sample_stands_in_and_says_so_once(
    folder, capsys, monkeypatch, broken
):
    monkeypatch.setattr(socket, *broken)
    assert data.names() == data.names() == ["ada", "bo", "cy"]
    assert data.is_sample("names")
    said = f"names.txt could not be fetched (no network): {NEXT_TIME}"
    assert capsys.readouterr() == (said, "")


def test_the_play_has_a_sample_too(folder, capsys, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    assert data.play() == "Raker:\nNo.\n"
    assert "working with the sample play of 11 characters. " in capsys.readouterr().out


def test_a_file_without_a_sample_is_an_error_that_says_what_to_do(folder, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(data.DataError) as caught:
        data.path("ranks")
    assert str(caught.value) == (
        "ranks.tiktoken could not be fetched (no network): try again with `make lab`, "
        "or set DATA_MIRROR to a folder that holds it."
    )
    assert not data.is_sample("ranks")


def test_a_server_that_is_down_is_named(folder, server):
    port = free_port()
    write_manifest(folder, f"http://{HERE}:{port}")
    assert reason() == f"{HERE}:{port} refused the connection"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        return taken.getsockname()[1]


@pytest.mark.usefixtures("hurried")
def test_a_server_that_does_not_answer_is_left_soon(folder, server):
    server.stalls = True
    assert reason() == f"{HERE}:{server.port} did not answer within 0.5 s"


@pytest.mark.usefixtures("hurried")
def test_a_search_for_an_address_that_hangs_is_left_soon(folder, server, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: server.over.wait(5))
    assert reason() == f"{HERE}:{server.port} did not answer within 0.5 s"


@pytest.mark.usefixtures("hurried")
def test_a_server_that_stalls_halfway_is_left_and_its_bytes_are_kept(folder, server):
    server.stalls, server.stops_after = True, 2_000
    assert (
        reason() == f"{HERE}:{server.port} stopped sending after 2,000 of 5,000 bytes"
    )
    assert (folder / "names.txt.part").read_bytes() == NAMES[:2_000]


@pytest.mark.usefixtures("hurried")
def test_a_server_that_drips_is_as_good_as_stalled(folder, server):
    server.drips = 0.12
    assert re.search(r"stopped sending after \d00 of 5,000 bytes", reason())


def test_a_broken_connection_is_told_from_a_missing_network(folder, server):
    with socket.create_server((HERE, 0)) as deaf:
        port = deaf.getsockname()[1]
        threading.Thread(target=lambda: deaf.accept()[0].close(), daemon=True).start()
        write_manifest(folder, f"http://{HERE}:{port}")
        assert reason().startswith(f"the connection to {HERE}:{port} broke off: ")


def test_an_answer_that_is_an_error_is_shown(folder, server):
    server.files.clear()
    assert reason() == f"{HERE}:{server.port} answers 404 Not Found"


def test_a_network_that_failed_is_not_tried_for_the_next_file(folder, server):
    server.stops_after = 10
    first = reason("names")
    assert [reason("play"), reason("ranks"), reason("names")] == [first] * 3
    assert len(server.asked) == 1


def test_after_its_rest_the_network_is_tried_again(folder, server, monkeypatch):
    monkeypatch.setattr(download, "_REST", 0)
    server.stops_after = 10
    reason("names")
    server.stops_after = None
    assert data.fetch("play").read_bytes() == PLAY


def test_a_missing_file_does_not_rest_the_network(folder, server):
    del server.files["names.txt"]
    reason("names")
    assert data.fetch("play").read_bytes() == PLAY


def test_a_process_that_began_with_the_sample_keeps_it(folder, server, capsys):
    server.status = 503
    assert len(data.names()) == 3
    server.status = 0
    assert len(data.names()) == 3
    assert len(server.asked) == 1
    assert "answers 503 Service Unavailable): working with" in capsys.readouterr().out


def test_fetching_on_purpose_ends_the_sample(folder, server):
    server.status = 503
    assert data.is_sample("names")
    server.status = 0
    data.fetch("names")
    assert len(data.names()) == 1_000


def test_fetch_all_tells_each_reason_once_and_never_raises(folder, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    assert data.fetch_all() == [
        "names.txt, tinyshakespeare.txt and ranks.tiktoken could not be fetched "
        "(no network): lessons work with the course's samples where there are any; "
        "`make lab` tries again next time."
    ]
    (folder / "manifest.toml").write_text("[[files")
    (said,) = data.fetch_all()
    assert said.startswith("The course's files were not fetched: ")


# --- Another file -------------------------------------------------------------


def test_one_changed_byte_is_refused_and_named(folder, server, capsys):
    server.files["names.txt"] = changed(NAMES)
    assert data.names() == ["ada", "bo", "cy"]
    assert lying(folder) == set()
    assert capsys.readouterr().out == (
        f"names.txt could not be fetched ({HERE}:{server.port} has a file with SHA-256 "
        f"{sha(changed(NAMES))}, expected {sha(NAMES)}): {NEXT_TIME}"
    )


def test_a_changed_byte_behind_a_partial_is_refused_after_a_fresh_try(folder, server):
    (folder / "names.txt.part").write_bytes(NAMES[:500])
    server.files["names.txt"] = changed(NAMES)
    assert f"SHA-256 {sha(changed(NAMES))}" in reason()
    assert [wanted for _, wanted in server.asked] == ["bytes=500-", None]
    assert lying(folder) == set()


def test_a_page_of_another_length_is_refused_unread(folder, server):
    server.files["names.txt"] = b"<html>Log in to the hotel's network</html>"
    assert reason() == f"{HERE}:{server.port} offers 42 bytes, expected 5,000"
    assert lying(folder) == set()


def test_an_endless_body_is_cut_and_refused(folder, server):
    server.says_length = False
    server.files["names.txt"] = b"x" * 1_000_000
    assert f"SHA-256 {sha(b'x' * 5_000)}" in reason()


def test_a_wrong_file_in_place_is_set_aside_and_replaced(folder, capsys):
    (folder / "names.txt").write_bytes(changed(NAMES))
    assert len(data.names()) == 1_000
    assert (folder / "names.txt.refused").read_bytes() == changed(NAMES)
    assert capsys.readouterr().out == (
        "data/names.txt is not the file that the lessons need (SHA-256 "
        f"{sha(changed(NAMES))}, expected {sha(NAMES)}): it is set aside as "
        "data/names.txt.refused.\n"
    )


def test_what_was_set_aside_before_is_never_overwritten(folder):
    for text in (b"first", b"second", b"third"):
        (folder / "names.txt").write_bytes(text)
        data.fetch("names")
    kept = [f"names.txt.refused{more}" for more in ("", "-2", "-3")]
    assert [(folder / name).read_bytes() for name in kept] == [
        b"first",
        b"second",
        b"third",
    ]


def test_a_wrong_file_is_not_used_without_a_network_either(folder, monkeypatch):
    (folder / "names.txt").write_bytes(changed(NAMES))
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    assert data.names() == ["ada", "bo", "cy"]


# --- Looking again is cheap ---------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes were read to see whether they are right."""
    read: list[Path] = []
    real: Callable[[Path], str] = download.sha256
    monkeypatch.setattr(
        download, "sha256", lambda file: (read.append(file), real(file))[1]
    )
    return read


def test_a_file_found_right_is_not_read_again(folder, hashed):
    (folder / "names.txt").write_bytes(NAMES)
    data.fetch("names")
    data.fetch("names")
    assert hashed == [folder / "names.txt"]


def test_a_file_changed_later_is_noticed(folder):
    data.fetch("names")
    (folder / "names.txt").write_bytes(changed(NAMES))
    os.utime(folder / "names.txt", ns=(1, 1))
    assert data.fetch("names").read_bytes() == NAMES
    assert (folder / "names.txt.refused").exists()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b"\xff\xfe", b'{"names.txt": 3}']
)
def test_damaged_notes_cost_a_reading_and_no_more(folder, server, hashed, damage):
    (folder / "names.txt").write_bytes(NAMES)
    (folder / ".verified.json").write_bytes(damage)
    data.fetch("names")
    data.fetch("names")
    assert hashed == [folder / "names.txt"]
    assert server.asked == []


def test_a_new_version_in_the_manifest_outdates_the_file(folder, server):
    data.fetch("names")
    newer = changed(NAMES)
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(sha(NAMES), sha(newer)))
    server.files["names.txt"] = newer
    assert data.fetch("names").read_bytes() == newer


# --- A mirror -----------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "mirror"
    made.mkdir()
    monkeypatch.setenv("DATA_MIRROR", str(made))
    return made


def test_a_mirror_folder_is_asked_first(folder, server, mirror, capsys):
    (mirror / "names.txt").write_bytes(NAMES)
    (mirror / "tiktoken").mkdir()
    (mirror / "tiktoken" / "ranks.tiktoken").write_bytes(RANKS)
    assert data.fetch("names").read_bytes() == NAMES
    assert data.fetch("ranks").read_bytes() == RANKS
    assert server.asked == []
    assert lying(folder) == {"names.txt", "ranks.tiktoken"}
    assert capsys.readouterr().out == ""


def test_a_mirror_may_be_a_file_address(folder, server, mirror, monkeypatch):
    (mirror / "names.txt").write_bytes(NAMES)
    monkeypatch.setenv("DATA_MIRROR", mirror.as_uri())
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked == []


def test_a_mirror_may_be_a_web_address(folder, server, monkeypatch):
    server.files["mirror/names.txt"] = NAMES
    monkeypatch.setenv("DATA_MIRROR", f"{server.url}/mirror/")
    assert data.fetch("names").read_bytes() == NAMES
    assert server.asked == [("/mirror/names.txt", None)]


@pytest.mark.parametrize("start", [0, 700])
def test_a_mirror_without_the_file_is_said_and_passed_by(
    folder, server, mirror, capsys, start
):
    (folder / "names.txt.part").write_bytes(NAMES[:start])
    assert data.fetch("names").read_bytes() == NAMES
    assert capsys.readouterr().out == (
        f"DATA_MIRROR does not give names.txt ({mirror} does not hold it): "
        f"asking {HERE} instead.\n"
    )


def test_a_mirror_with_another_file_is_said_and_passed_by(
    folder, server, mirror, capsys
):
    (mirror / "names.txt").write_bytes(changed(NAMES))
    assert data.fetch("names").read_bytes() == NAMES
    assert capsys.readouterr().out == (
        f"DATA_MIRROR does not give names.txt ({mirror}/names.txt has a file with "
        f"SHA-256 {sha(changed(NAMES))}, expected {sha(NAMES)}): "
        f"asking {HERE} instead.\n"
    )


def test_a_mirror_that_does_not_exist_is_said_and_passed_by(folder, mirror, capsys):
    mirror.rmdir()
    assert data.fetch("names").read_bytes() == NAMES
    assert f"({mirror} is not a folder)" in capsys.readouterr().out


def test_what_a_mirror_lacks_is_said_once(folder, server, mirror, capsys):
    server.status = 503
    assert reason() == reason()
    assert capsys.readouterr().out.count("DATA_MIRROR") == 1


def test_a_web_mirror_that_is_down_does_not_rest_the_network(
    folder, server, monkeypatch, capsys
):
    down = f"{HERE}:{free_port()}"
    monkeypatch.setenv("DATA_MIRROR", f"http://{down}")
    assert data.fetch("names").read_bytes() == NAMES
    assert data.fetch("play").read_bytes() == PLAY
    assert f"names.txt ({down} refused the connection)" in capsys.readouterr().out


# --- Only over https ----------------------------------------------------------


def test_an_address_elsewhere_that_is_not_https_is_not_asked(folder, monkeypatch):
    write_manifest(folder, "http://example.org")
    monkeypatch.setattr(socket, "getaddrinfo", pytest.fail)
    assert reason() == "http://example.org/names.txt is not https"


def test_https_is_not_redirected_to_http():
    door = download._SafeRedirects()
    asked = Request("https://example.org/names.txt")
    assert door.redirect_request(asked, None, 302, "", {}, "https://example.com/n")
    with pytest.raises(download.Miss) as caught:
        door.redirect_request(asked, None, 302, "", {}, "http://example.com/n")
    assert str(caught.value) == (
        "example.org redirects to http://example.com/n, not to https"
    )


# --- A disk that does not take it ---------------------------------------------

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("by_mirror", [False, True])
def test_a_full_disk_says_how_much_is_needed(
    folder, server, mirror, monkeypatch, capsys, by_mirror
):
    if by_mirror:
        (mirror / "names.txt").write_bytes(NAMES)
    else:
        monkeypatch.delenv("DATA_MIRROR")
    (folder / "names.txt.part").symlink_to(FULL)
    assert data.names() == ["ada", "bo", "cy"]
    assert lying(folder) == set()
    assert capsys.readouterr().out == (
        f"names.txt could not be fetched (the disk is full: 0.1 MB are needed in "
        f"{folder}): {NEXT_TIME}"
    )


def test_a_folder_that_cannot_be_written_is_named(folder):
    (folder / ".names.txt.lock").mkdir()
    assert reason() == f"{folder}/.names.txt.lock: Is a directory"


# --- Check mode ---------------------------------------------------------------


@pytest.mark.parametrize("real_lies_there", [False, True])
def test_check_mode_takes_the_samples_in_silence(
    folder, server, monkeypatch, capsys, real_lies_there
):
    if real_lies_there:
        data.fetch_all()
        server.asked.clear()
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    assert data.names() == ["ada", "bo", "cy"]
    assert data.play() == "Raker:\nNo.\n"
    assert data.is_sample("names")
    assert data.fetch_all() == []
    assert server.asked == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("ask", [data.path, data.fetch])
def test_check_mode_gives_no_file_that_is_not_shipped(folder, server, monkeypatch, ask):
    data.fetch("ranks")
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    with pytest.raises(data.DataError, match=r"WORKBOOK_CHECK=1.* with shipped files"):
        ask("ranks")


# --- Wrong questions and missing parts ----------------------------------------


def test_an_unknown_name_lists_the_known_ones(folder):
    with pytest.raises(data.DataError) as caught:
        data.path("poems")
    assert str(caught.value) == (
        "No file of the course is called 'poems': there are names, play and ranks."
    )


def test_a_missing_sample_says_how_to_get_it_back(folder, monkeypatch):
    monkeypatch.setenv("WORKBOOK_CHECK", "1")
    (folder / "sample_names.txt").unlink()
    with pytest.raises(data.DataError, match=r"checkout data/sample_names\.txt`"):
        data.names()


@pytest.mark.parametrize("damage", ["", "[[files", "[[files]]\nname = 'names'\n"])
def test_a_damaged_manifest_is_named(folder, damage):
    (folder / "manifest.toml").write_text(damage)
    with pytest.raises(data.DataError, match=r"manifest\.toml cannot be read"):
        data.names()


# --- What one sees while waiting ----------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_with_the_time_left(folder, server):
    server.drips = 0.02
    shown, terminal = os.openpty()
    code = "from workbook import data; data.fetch('names')"
    subprocess.run(*child(code), stderr=terminal, timeout=10, check=True)
    text = re.sub(r"\x1b\[[\d?;]*[a-zA-Z]", "", os.read(shown, 1 << 20).decode())
    os.close(terminal)
    os.close(shown)
    assert re.search(r"names\.txt .*/5\.0 kB.* \d:\d\d:\d\d", text)


def test_a_notebook_shows_one_line_that_outlives_its_kernel(folder, monkeypatch):
    import IPython.display

    shown: list[dict[str, str]] = []

    class Line:
        def update(self, bundle: dict[str, str], raw: bool) -> None:
            shown.append(bundle)

    monkeypatch.setattr(download, "headless", lambda: False)
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Line())
    data.fetch("names")
    (text,) = shown[-1].values()
    assert set(shown[-1]) == {"text/plain"}
    assert re.fullmatch(r"names\.txt ━+ 5\.0/5\.0 kB 0:00:00", text)


@pytest.mark.parametrize("kernel", [False, True])
def test_nobody_watching_means_no_bar(folder, server, monkeypatch, capsys, kernel):
    monkeypatch.setattr(download, "headless", lambda: not kernel)
    if kernel:
        monkeypatch.setattr(download, "checking", lambda: True)
    data.fetch("names")
    assert capsys.readouterr() == ("", "")


def test_the_module_loads_nothing_that_a_lesson_may_not_need():
    code = (
        "import sys, workbook.data; "
        "print({'torch', 'rich', 'IPython', 'filelock'} & set(sys.modules))"
    )
    ran = subprocess.run(*child(code), capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


# --- What is shipped ----------------------------------------------------------


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> dict[str, data.Entry]:
    monkeypatch.setenv("WORKBOOK_ROOT", str(SHIPPED.parent))
    return {entry.name: entry for entry in data.manifest()}


def test_the_manifest_names_the_four_files_of_the_lectures(shipped):
    files = {entry.file: entry.bytes for entry in shipped.values()}
    assert files == {
        "names.txt": 228_145,
        "tinyshakespeare.txt": 1_115_394,
        "cl100k_base.tiktoken": 1_681_126,
        "r50k_base.tiktoken": 835_554,
    }
    for entry in shipped.values():
        assert entry.url.startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.licence and entry.source


def test_the_manifest_tells_the_truth_about_the_real_files(shipped):
    mirror = os.environ.get("DATA_MIRROR", str(SHIPPED))
    for entry in shipped.values():
        found = sorted(Path(mirror).glob(f"**/{entry.file}"))
        if not found:
            pytest.skip("the real files are not here")
        assert found[0].stat().st_size == entry.bytes
        assert download.sha256(found[0]) == entry.sha256


def test_nothing_that_is_fetched_can_be_committed(shipped):
    fetched = [f"data/{entry.file}" for entry in shipped.values()]
    hidden = ["data/.verified.json", "data/names.txt.part", "data/names.txt.refused"]
    ran = subprocess.run(
        ["git", "check-ignore", *fetched, *hidden],
        cwd=SHIPPED.parent,
        capture_output=True,
        text=True,
    )
    if ran.returncode == 128:
        pytest.skip("not a git checkout")
    assert ran.stdout.split() == fetched + hidden


def test_the_sample_names_are_enough_distinct_and_plain(shipped):
    names = (SHIPPED / "sample_names.txt").read_text(encoding="ascii").splitlines()
    assert len(names) >= 4_000
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch("[a-z]{2,15}", name)] == []


def test_the_sample_play_is_long_plain_text(shipped):
    play = (SHIPPED / "sample_play.txt").read_text(encoding="ascii")
    assert len(play) >= 80_000
    assert {letter for letter in play if letter < " "} == {"\n"}


def test_the_sample_play_is_laid_out_as_speaker_colon_lines(shipped):
    play = (SHIPPED / "sample_play.txt").read_text(encoding="ascii")
    blocks = [block.splitlines() for block in play.strip().split("\n\n")]
    speeches = [
        block
        for block in blocks
        if re.fullmatch(r"[A-Z][A-Za-z' -]*:", block[0]) and len(block) > 1
    ]
    assert speeches[0] == blocks[0]
    assert len(speeches) >= 0.98 * len(blocks)  # the rest: further verses of a song


def test_the_samples_stand_in_under_their_own_words(shipped):
    names, play = shipped["names"], shipped["play"]
    assert names.stand_in.format(lines=4_312, characters=0) == (
        "the 4,312 sample names that come with the course"
    )
    assert play.stand_in.format(lines=0, characters=81_000) == (
        "the sample play of 81,000 characters that comes with the course"
    )
