"""The provider of top-ups: contracts/topup/v1 over signed HTTP, ``python -m sandbox.top_up_provider PORT``."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from sandbox.top_ups import KEY_ID, LATE, NEVER, REFUSED, Entry, TopUpBook

FOLDER_VARIABLE = "SANDBOX_TOP_UP_FOLDER"
ADDRESS = "127.0.0.1"
PREFIX = "/top-ups/v1/"
BODY_MOST = 4_096
_JSON = {"Content-Type": "application/json"}
_FIRST = {REFUSED: "refused", NEVER: "pending"}
_STATUS = {"pending": 202, "conflict": 409}


class Provider(ThreadingHTTPServer):
    """Serves whoever signs with the gateway's key."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path) -> None:
        keys = json.loads((folder / "keys.json").read_text())
        self.book = TopUpBook(folder)
        self.signer = Signer(KEY_ID, base64.b64decode(keys["private_key"]))
        gateway = keys["gateway"]
        self.verifier = Verifier({gateway["key_id"]: base64.b64decode(gateway["public_key"])})
        super().__init__((ADDRESS, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_PUT(self) -> None:
        """Deliver, once for each reference."""
        self._serve(self._deliver)

    def do_DELETE(self) -> None:
        """Never deliver, if it was not."""
        self._serve(lambda reference, _body: _told(self.server.book.cancel(reference)))

    def log_message(self, *_words: Any) -> None:
        """Write nothing: an address names a payment."""

    def _deliver(self, reference: str, body: bytes) -> dict[str, str] | None:
        asked = json.loads(body)
        ends = str(asked["mobile"])[-4:]
        found = self.server.book.ask(reference, body.decode(), int(asked["amount"]), _FIRST.get(ends, "delivered"))
        if found.body and found.body != body.decode():
            return {"reference": reference, "state": "conflict"}
        return None if ends == LATE and found.asked == 1 else _told(found)

    def _serve(self, work: Any) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_MOST))
        url = f"http://{self.headers['Host']}{self.path}"
        request = RequestToSign(self.command, url, dict(self.headers.items()))
        try:
            self.server.verifier.verify_request(request, body)
        except SignatureRefused:
            self.send_error(401)
            return
        answer = work(self.path.removeprefix(PREFIX), body)
        if answer is None:  # delivered, and the word about it is lost
            self.close_connection = True
            return
        written = json.dumps(answer).encode()
        status = _STATUS.get(answer["state"], 200)
        headers = self.server.signer.sign_answer(request, status=status, headers=_JSON, body=written)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)


def _told(entry: Entry) -> dict[str, str]:
    told = {"reference": entry.reference, "state": entry.state}
    if entry.state == "delivered":
        told["operator_reference"] = entry.operator_reference or ""
    if entry.state == "refused":
        told["reason"] = "number_unknown"
    return told


def main(arguments: list[str]) -> int:
    """Serve on a port until told to stop."""
    provider = Provider(int(arguments[0]), Path(os.environ[FOLDER_VARIABLE]))
    serving = threading.Thread(target=provider.serve_forever, daemon=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serving.start()
    stop.wait()
    provider.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
