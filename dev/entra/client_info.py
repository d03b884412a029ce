"""`client_info`: how MSAL learns which account a token belongs to, without reading the token."""

import base64
import json

from dev.demo import TENANT, Person


def client_info(person: Person) -> str:
    told = json.dumps({"uid": person.oid, "utid": TENANT})
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")
