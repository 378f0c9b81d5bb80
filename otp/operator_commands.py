"""``python -m otp operator add | password | list | disable``: who may log in to the operators' page."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from foundation.sensitive import Sensitive
from otp.domain.errors import DuplicateOperator, InvalidOperator, UnknownOperator
from otp.domain.operators import Role
from otp.services import operators
from otp.services.audit_trail import By
from otp.services.bank import Bank


def add_to(operator: argparse.ArgumentParser) -> None:
    """Add the verbs to ``python -m otp operator``."""
    operator.description = "Let people in to the operators' page, and out of it."
    verbs: Any = operator.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="register somebody; the password is asked for")
    add.add_argument("name")
    add.add_argument("--role", choices=[str(role) for role in Role], default=str(Role.VIEWER))
    password = verbs.add_parser("password", help="give somebody another password, which is asked for; ends log-ins")
    password.add_argument("name")
    for verb in (add, password):
        verb.add_argument("--password-file", type=Path, help="its first line instead of a question")
    disable = verbs.add_parser("disable", help="let somebody in no more; the name is not given again")
    disable.add_argument("name")
    verbs.add_parser("list", help="say who is registered")
    for verb in (add, password, disable):
        verb.add_argument("--operator", help="who does it, for the audit trail; usually this account")
        verb.add_argument("--why", default="", help="the reason, for the audit trail")


def run(bank: Bank, chosen: argparse.Namespace) -> int:
    """Run one verb."""
    try:
        print(_VERBS[chosen.verb](bank, chosen))
    except DuplicateOperator:
        print(f"{chosen.name} is, or was, somebody's name", file=sys.stderr)
        return 1
    except UnknownOperator:
        print(f"there is no active operator {chosen.name}", file=sys.stderr)
        return 1
    except (InvalidOperator, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _add(bank: Bank, chosen: argparse.Namespace) -> str:
    password = _password(chosen.password_file)
    added = operators.add_operator(bank, chosen.name, password, Role(chosen.role), by=_by(chosen))
    return f"{added.name} may log in as {added.role}"


def _password_of(bank: Bank, chosen: argparse.Namespace) -> str:
    operators.change_password(bank, chosen.name, _password(chosen.password_file), by=_by(chosen))
    return f"{chosen.name} has another password"


def _disable(bank: Bank, chosen: argparse.Namespace) -> str:
    operators.disable_operator(bank, chosen.name, by=_by(chosen))
    return f"{chosen.name} may not log in any more"


def _list(bank: Bank, _: argparse.Namespace) -> str:
    return "\n".join(
        f"{one.name}: {one.role}{'' if one.active else ', disabled'}" for one in operators.every_operator(bank)
    )


def _password(path: Path | None) -> Sensitive[str]:
    """Read the password from a file or a person; as an argument every process of the machine could read it.

    Raises:
        InvalidOperator: when a person types it differently the second time.
    """
    if path is not None:
        return Sensitive(path.read_text().partition("\n")[0])
    typed = Sensitive(getpass.getpass("password: "))
    if typed != Sensitive(getpass.getpass("once more: ")):
        raise InvalidOperator("the two are not the same")
    return typed


def _by(chosen: argparse.Namespace) -> By:
    return By.operator(chosen.operator, chosen.why)


_VERBS = {"add": _add, "disable": _disable, "list": _list, "password": _password_of}
