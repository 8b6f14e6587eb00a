import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from castsearch import downloads
from castsearch.errors import InputError


@pytest.fixture
def server(monkeypatch):
    """Address of a server that sends a whole file, a part of one, or stalls, before its answer or within."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/silent":
                over.wait()
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"weight"[: 6 if self.path == "/whole" else 3])
            if self.path == "/stalled":
                over.wait()

        def log_message(self, *_):
            pass

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(downloads, "SILENCE", 0.2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        over.set()
        running.shutdown()
        thread.join()


def test_a_file_is_downloaded(tmp_path, server):
    downloads.download(f"{server}/whole", tmp_path / "file", "bring it")
    assert (tmp_path / "file").read_bytes() == b"weight"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("silent", r"nothing came for 0\.2 seconds"),
        ("stalled", r"nothing came for 0\.2 seconds"),
        ("cut_off", "only 3 of 6 bytes came"),
        ("missing", "HTTP Error 404: Not Found"),
    ],
)
def test_a_download_that_does_not_end_well_is_given_up_with_the_remedy(tmp_path, server, what, reason):
    with pytest.raises(InputError, match=f"^{server}/{what}: cannot be downloaded: {reason}; bring it$"):
        downloads.download(f"{server}/{what}", tmp_path / "file", "bring it")
    assert list(tmp_path.iterdir()) == []
