"""All organisations' workers, one job and one sweep at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import OperationalError

from foundation import outbox
from foundation.outbox import Job, Outbox, Want
from foundation.worker import Periodic, Topic, Worker
from gateway import worker as gateway_worker
from gateway.api.events import renderer
from gateway.services.deliver import deliver_due
from gateway.services.gateway import Gateway
from otp import worker as bank_worker
from otp.services.bank import Bank
from sandbox.simulator.network import Network

Turn = tuple[str, Callable[[], object]]
Queue = tuple[str, str]
WEBHOOKS = ("gateway", "webhook")
POISON = "poison"


class OneJob(Outbox):
    """Leases one job at a time, and counts jobs that two workers held."""

    def __init__(self, crew: Crew, inner: Outbox) -> None:
        super().__init__(inner._database)  # noqa: SLF001 - the same table
        self._crew = crew

    def claim(self, wants: Sequence[Want]) -> list[Job]:
        """Lease at most one of each topic."""
        jobs = super().claim([replace(want, most=min(want.most, 1)) for want in wants])
        for job in jobs:
            if (job.topic, job.id) in self._crew.working:
                self._crew.network.saw("job taken twice")
        return jobs

    def _write(self, statement: Any, job: Job, **values: Any) -> bool:
        kept = super()._write(statement, job, **values)
        if not kept:
            self._crew.network.saw("lease lost")
        return kept


class Inline(ThreadPoolExecutor):
    """A pool without threads."""

    def map(self, fn: Any, *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:  # noqa: ARG002 - as a pool's
        """Do it here and now."""
        return map(fn, *iterables)


@dataclass
class Crew:
    """The workers.

    Args:
        working: topic and number of each job that somebody works on.
        failures: what a handler raised that it should not have.
    """

    network: Network
    gateway: Gateway
    banks: dict[str, Bank]
    working: list[tuple[str, int]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _pool: Inline = field(default_factory=lambda: Inline(1))

    def jobs(self) -> dict[Queue, Callable[[], object]]:
        """Return every queue of all workers, by organisation and topic."""
        rows = [("gateway", Outbox(self.gateway.database), topic) for topic in gateway_worker.topics(self.gateway)]
        for name, bank in self.banks.items():
            worker = bank_worker.make(bank)
            rows += [(name, worker._outbox, topic) for topic in worker._topics.values()]  # noqa: SLF001 - its own table
        turns = {(name, topic.name): self._turn(queue, topic) for name, queue, topic in rows}
        return {**turns, WEBHOOKS: self._tell}

    def sweeps(self) -> tuple[Turn, ...]:
        """Return every sweeper of all workers."""
        sweeps: list[Periodic] = list(gateway_worker.periodics(self.gateway))
        for bank in map(bank_worker.make, self.banks.values()):
            sweeps += bank._periodics  # noqa: SLF001 - as it runs them
        return tuple((sweep.name, sweep.run) for sweep in sweeps)

    def poison(self) -> str:
        """Queue a job that no handler can do (F26)."""
        with self.network.dice.choice(list(self.banks.values())).database.begin() as connection:
            outbox.add(connection, "sms.last_try", {POISON: True}, unique_key=f"{POISON}-{self.network.dice.random()}")
        return "queued"

    def _tell(self) -> int:
        try:
            return deliver_due(self.gateway, renderer(self.gateway.settings), most=1, clock=self.network.now)
        except OperationalError:
            raise
        except Exception as error:
            self.failures.append(f"webhook: {type(error).__name__}: {error}")
            raise

    def _turn(self, queue: Outbox, topic: Topic) -> Callable[[], object]:
        def watched(job: Job) -> Any:
            self.working.append((job.topic, job.id))
            try:
                return topic.handler(job)
            except OperationalError:
                raise
            except Exception as error:
                if POISON in job.payload:
                    self.network.saw("poison tried")
                else:
                    self.failures.append(f"{topic.name}: {type(error).__name__}: {error}")
                raise
            finally:
                self.working.remove((job.topic, job.id))

        worker = Worker(OneJob(self, queue), [replace(topic, handler=watched)])
        return lambda: worker.tick(self._pool)
