"""How each issuer does, from what this process holds in memory: its gates and the directory. Calls nobody.

An issuer in trouble never makes the process unready; the payment page and the metrics tell it.
"""

from __future__ import annotations

from gateway.domain.health import Health, health_of
from gateway.services.gateway import Gateway


def of(gateway: Gateway, issuer_id: str) -> Health:
    """Return one issuer's health; one nobody asked yet is healthy.

    Raises:
        SQLAlchemyError: the directory was not read for seconds, and the database does not answer.
    """
    readings = [reading for gates in gateway.gates if (reading := gates.reading(issuer_id)) is not None]
    return health_of(readings, paused=issuer_id in gateway.directory.pauses())


def of_all(gateway: Gateway) -> dict[str, Health]:
    """Return the health of every active issuer by id; raises as :func:`of`."""
    issuers = gateway.directory.issuers().values()
    return {issuer.issuer_id: of(gateway, issuer.issuer_id) for issuer in issuers if issuer.active}
