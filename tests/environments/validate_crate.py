"""Check a crate against all requirements and recommendations of Workflow Run RO-Crates, without a network.

    python validate_crate.py CRATE CONTEXT

Runs in an environment of its own, with `roc-validator==0.13.0`. CRATE is a folder of results, and CONTEXT the file that
the validator would fetch from https://w3id.org/ro/crate/1.1/context. With a network, `rocrate-validator` is enough.
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from requests import Response
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate_validator import services
from rocrate_validator.models import Severity
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class FromFile(BaseAdapter):
    """Answers every request with the content of a file."""

    def __init__(self, path):
        super().__init__()
        self._content = Path(path).read_bytes()

    def send(self, request, **_):
        response = Response()
        response.status_code, response.url, response.request = 200, request.url, request
        response.headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO(self._content)
        response.raw = HTTPResponse(body, status=200, request_url=request.url, preload_content=False)
        return response

    def close(self):
        pass


def issues(crate, context, cache):
    """What is wrong with a crate; `cache` is where the validator looks for what it would fetch."""
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.mount(CONTEXT, FromFile(context))
        session.get(CONTEXT)
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=Severity.RECOMMENDED,
        skip_availability_check=True,
        cache_path=cache,
        offline=True,
    )
    return services.validate(settings).get_issues(Severity.RECOMMENDED)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        found = issues(*sys.argv[1:3], f"{folder}/cache")
    for issue in found:
        print(issue.severity.name, issue.check.identifier, issue.violatingEntity, issue.message)
    print(len(found), "issues")
    sys.exit(any(issue.severity is Severity.REQUIRED for issue in found))
