"""ask: one call to AWS by an operator, whose failure is a sentence that says what was refused and what helps."""

import os
from functools import cached_property
from typing import Any, cast

from boto3 import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from wakegate.aws.deploy.failure import DENIED, NO_CREDENTIALS, NO_REGION, NOT_AWS, code_of, is_unreadable, say
from wakegate.aws.dynamo import Credentials, DynamoClient
from wakegate.core.errors import WakegateError

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=70)
# For what must not come late or twice, and be over well before a stopper's lease is.
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=15)
READ_TIMEOUT_S = 10.0  # from here to the region may be far
PAGES_MAX = 20


class AskError(WakegateError):
    """AWS could not be asked, or says no; `code` is its short name for why, "" where it has not answered."""

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        self.is_denied = code in DENIED
        self.is_missing = "NotFound" in code or code == "NoSuchEntity" or "does not exist" in message
        super().__init__(message)


class Asker:
    """An account in one region, as `profile` or the environment names it."""

    def __init__(self, *, profile: str | None = None, region: str | None = None) -> None:
        region = region or os.environ.get("AWS_REGION")  # boto3 knows AWS_DEFAULT_REGION only, everything else both
        try:
            self.session = Session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise AskError(say(error, region=region or "")) from error
        if not self.session.region_name:
            raise AskError(NO_REGION)
        self.region: str = self.session.region_name
        self._clients: dict[tuple[str, Config], Any] = {}

    @cached_property
    def dynamo(self) -> DynamoClient:
        """Return the client that the table of the functions works with, signed by the operator."""
        return DynamoClient(
            self.client("dynamodb").meta.endpoint_url,
            region=self.region,
            credentials=self._credentials,
            read_timeout_s=READ_TIMEOUT_S,
        )

    def close(self) -> None:
        """Close every connection."""
        self.dynamo.close()
        for client in self._clients.values():
            client.close()

    def client(self, service: str, config: Config = CONFIG) -> Any:
        """Return the client of a service; its calls raise what botocore raises."""
        if (service, config) not in self._clients:
            make = cast("Any", self.session.client)  # the stubs know each name, but not any name
            try:
                self._clients[service, config] = make(service, config=config)
            except (BotoCoreError, ValueError) as error:
                raise self._error(error) from error
        return self._clients[service, config]

    def ask(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one call, or raise `AskError`."""
        return self._ask(self.client(service), operation, parameters)

    def ask_once(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Do the same with one attempt of 20 s at most: a repeat could have its effect when nobody expects it."""
        return self._ask(self.client(service, ONCE), operation, parameters)

    def _ask(self, client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
            raise self._error(error) from error
        return answer

    def every(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """Return what all pages of a list have under `key`, or those of the first pages where there is no end to it."""
        client = self.client(service)
        found: list[Any] = []
        try:
            for number, page in enumerate(client.get_paginator(operation).paginate(**parameters), 1):
                found += page.get(key, [])
                if number == PAGES_MAX:
                    break
        except (BotoCoreError, ClientError, ResponseParserError, KeyError) as error:
            raise self._error(error) from error
        return found

    def _credentials(self) -> Credentials:
        found = self.session.get_credentials()
        if found is None:
            raise AskError(NO_CREDENTIALS)
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token or "")

    def _error(self, error: Exception) -> AskError:
        if isinstance(error, ClientError):
            return AskError(say(error, region=self.region), code=code_of(error) or "Unknown")
        if isinstance(error, BotoCoreError):
            return AskError(say(error, region=self.region))
        if isinstance(error, (ResponseParserError, KeyError)):
            if not is_unreadable(error):
                raise error
            return AskError(NOT_AWS)
        return AskError(f"AWS could not be asked: {error}")  # botocore's ValueError: an endpoint that is no URL
