"""A web server on this computer that misbehaves on request: the first word of the address says how."""

import gzip
import http.server
import threading

NUMBERS = bytes(range(256)) * 400
ZIPPED = gzip.compress(NUMBERS, mtime=0)  # what a source should bring: numbers.gz


class Server(http.server.ThreadingHTTPServer):
    """A local server whose every address is a way to misbehave; `asked` lists what was asked of it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.when_asked = [], lambda: None
        self.hung_up, self.closing = threading.Event(), threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        self.hung_up.set()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        """Nothing: the tests look at `asked`."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.when_asked()
        getattr(self, self.path.split("/")[1].replace("-", "_"))()

    def answer(self, content, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def good(self):
        self.answer(ZIPPED)

    def slow(self):
        self.server.closing.wait(0.5)
        self.answer(ZIPPED)

    def cut_half_way(self):
        self.answer(ZIPPED[: len(ZIPPED) // 2], length=len(ZIPPED))
        self.connection.close()

    def wrong_bytes(self):
        self.answer(bytes(len(ZIPPED)))

    def other_name(self):
        if self.path.endswith("numbers.gz"):
            self.send_error(404)
        else:
            self.good()

    def around_for_ever(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def hang(self):
        self.server.closing.wait(20)

    def trickle(self):
        self.answer(b"", length=1_000_000)
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"1")

    def trickle_of_headers(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"1")

    def no_end(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(60):
            self.wfile.write(bytes(1_000_000))
