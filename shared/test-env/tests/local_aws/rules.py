"""Tells how far a local AWS keeps the rules of AWS that the adapters rely on.

    python rules.py PEER URL SERVICE...

A rule is a function in SERVICE.py that speaks to the peer and asserts what AWS does; its docstring says it. A rule that
a peer is known to break names the peer, and must stay broken: a version of the peer that keeps it is worth knowing.
"""

import contextlib
import importlib
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

RULES = []


def rule(broken_by=()):
    """Registers a function as a rule."""

    def register(check):
        RULES.append((check, broken_by))
        return check

    return register


@contextlib.contextmanager
def refused(*codes):
    """The block must be refused by the peer, with one of these codes."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in codes, f"refused with {code}"
        return
    raise AssertionError(f"taken, where {codes} was due")


class Aws:
    """A client for each service of a peer. Nothing is tried twice: an answer is the peer's first."""

    def __init__(self, url):
        self.url = url
        self.names = 0

    def __getattr__(self, service):
        config = Config(retries={"total_max_attempts": 1})
        client = boto3.client(service, endpoint_url=self.url, config=config)
        setattr(self, service, client)
        return client

    def new_name(self):
        """A name for a table, queue, topic or stream of one rule alone."""
        self.names += 1
        return f"rule-{self.names}"


def surprise(check, broken_by, peer, aws):
    """What is not as it is known to be, or nothing."""
    try:
        check(aws)
    except (AssertionError, ClientError):
        return None if peer in broken_by else traceback.format_exc()
    return f"{peer} keeps it now: say so where it is marked as broken\n" if peer in broken_by else None


def main(peer, url, *services):
    for service in services:
        importlib.import_module(service)
    aws = Aws(url)
    surprises = 0
    for check, broken_by in RULES:
        found = surprise(check, broken_by, peer, aws)
        if found:
            surprises += 1
            print(f"{check.__module__}.{check.__name__}: {check.__doc__}\n{found}", file=sys.stderr)
    print(f"{len(RULES)} rules, {surprises} surprises")
    return 1 if surprises or not RULES else 0


if __name__ == "__main__":
    # The services register with this very module, not with a second copy under its name.
    sys.modules["rules"] = sys.modules["__main__"]
    sys.exit(main(*sys.argv[1:]))
