"""Client of the Pooya payment gateway: open, confirm and reverse payments, verify webhooks."""

from pooya.client import Client as Client
from pooya.errors import AmountMismatch as AmountMismatch
from pooya.errors import DuplicateOrder as DuplicateOrder
from pooya.errors import IdempotencyMismatch as IdempotencyMismatch
from pooya.errors import InvalidRequest as InvalidRequest
from pooya.errors import NotAllowed as NotAllowed
from pooya.errors import NotFound as NotFound
from pooya.errors import NotPossible as NotPossible
from pooya.errors import PooyaError as PooyaError
from pooya.errors import Refused as Refused
from pooya.errors import RequestInProgress as RequestInProgress
from pooya.errors import TooManyCalls as TooManyCalls
from pooya.errors import Unavailable as Unavailable
from pooya.errors import WebhookRefused as WebhookRefused
from pooya.models import Card as Card
from pooya.models import Event as Event
from pooya.models import Payment as Payment
from pooya.webhooks import sign_webhook as sign_webhook
from pooya.webhooks import verify_webhook as verify_webhook
