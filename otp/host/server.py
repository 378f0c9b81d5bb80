"""The host's TCP side: it accepts links, and ends in order."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog

from foundation.tls import TlsSocket
from otp.host.link import Link, LinkLimits
from otp.host.peers import Peer
from otp.host.respond import Responder
from otp.services.desk import Desk

log = structlog.get_logger(__name__)


class HostServer:
    """Listens for acquirers and answers them until it is stopped; with ``tls`` only those with a certificate (D22)."""

    def __init__(
        self,
        desk: Desk,
        peers: Mapping[str, Peer],
        *,
        host: str,
        port: int,
        limits: LinkLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._responder = Responder(desk, peers)
        self._limits = limits or LinkLimits()
        self._tls = tls
        self._listener = socket.create_server((host, port), backlog=128)
        self._pool = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="host")
        self._links: set[Link] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name="host-accept", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to accept links."""
        self._acceptor.start()
        log.info("host_started", port=self.port)

    def stop(self) -> None:
        """Take no more, finish what is in flight, close every link."""
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self._pool.shutdown(wait=True)
        with self._lock:
            links = list(self._links)
        for link in links:
            link.close("stopping")
            link.join()
        log.info("host_stopped")

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = self._listener.accept()
            except OSError:
                return
            with self._lock:
                full = len(self._links) >= self._limits.links_max
            if full:
                log.warning("link_refused", reason="too_many", address=address[0])
                connection.close()
                continue
            spoken = connection if self._tls is None else TlsSocket(connection, self._tls)
            link = Link(spoken, self._responder, self._pool, self._limits, self._forget)
            with self._lock:
                self._links.add(link)
            link.start()

    def _forget(self, link: Link) -> None:
        with self._lock:
            self._links.discard(link)


def serve(server: HostServer) -> None:
    """Run a host until SIGTERM or SIGINT, then let it finish what is in flight."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    stop.wait()
    server.stop()
