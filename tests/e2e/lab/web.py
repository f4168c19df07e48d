"""Web servers as one meets them: good ones, slow ones, lying ones, endless ones."""

import contextlib
import http.server
import pathlib
import re
import ssl
import subprocess
import threading

PIECE = 1 << 16


class Page:
    """What lies at one path. Ranges are served of the same ETag only, as they should be."""

    def __init__(self, content, etag='"v1"', gate=None, break_after=None, ranges=True,
                 headers=None, status=200, length=None):
        self.content = content
        self.etag = etag
        self.gate = gate                # called with how much was sent, before each piece
        self.break_after = break_after  # the connection breaks when so much was sent
        self.ranges = ranges
        self.headers = headers or {}
        self.status = status
        self.length = length            # announced instead of the true one


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.owner.requests.append((self.path, dict(self.headers)))
        self.close_connection = True
        page = self.server.owner.pages.get(self.path)
        with contextlib.suppress(OSError):
            if page is None:
                self.send_error(404)
            elif callable(page):
                page(self)
            else:
                self.serve(page)

    def serve(self, page):
        begin = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") == page.etag
        if asked and page.ranges and same and int(asked[1]) < len(page.content):
            begin = int(asked[1])
            self.send_response(206)
            self.send_header("Content-Range",
                             f"bytes {begin}-{len(page.content) - 1}/{len(page.content)}")
        else:
            self.send_response(page.status)
        length = len(page.content) - begin if page.length is None else page.length
        self.send_header("Content-Length", str(length))
        if page.etag:
            self.send_header("ETag", page.etag)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for at in range(begin, len(page.content), PIECE):
            if page.gate:
                page.gate(at)
            if page.break_after is not None and at >= page.break_after:
                return
            self.wfile.write(page.content[at:at + PIECE])


class WebServer:
    """Serves `pages` on a port of its own until it is left."""

    def __init__(self, address="127.0.0.1", certificate=None):
        self.pages = {}
        self.requests = []
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            self.scheme = "https"
        self.address = address
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self, path="/image", host=None):
        return f"{self.scheme}://{host or self.address}:{self.server.server_address[1]}{path}"

    def requests_of(self, path):
        return [headers for asked, headers in self.requests if asked == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def redirect(target, status=302):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return answer


def endless(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"%x\r\n%s\r\n" % (PIECE, bytes(PIECE))
    while True:
        handler.wfile.write(piece)


def make_certificate(folder, address="127.0.0.1"):
    """A certificate that signs itself, with its key: (for the server, for who trusts it)."""
    folder = pathlib.Path(folder)
    both, public = folder / "server.pem", folder / "ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={address}",
                    "-addext", f"subjectAltName=IP:{address}", "-keyout", both, "-out", public],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(both, "a", encoding="ascii") as file:
        file.write(public.read_text(encoding="ascii"))
    return both, public
