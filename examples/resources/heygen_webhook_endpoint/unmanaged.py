"""Prints the ids of endpoints that the account has and the state does not. Reads `terraform show -json`."""

import json
import os
import sys
import urllib.parse
import urllib.request

BASE = os.environ.get("HEYGEN_API_BASE", "https://api.heygen.com").rstrip("/")


def managed(it):
    """The ids in a state, in whatever module they are."""
    if isinstance(it, list):
        return set().union(*map(managed, it))
    if not isinstance(it, dict):
        return set()
    own = {it["values"]["id"]} if it.get("type") == "heygen_webhook_endpoint" and it.get("mode") == "managed" else set()
    return own | managed(list(it.values()))


def listed():
    """The ids of the account, page by page."""
    ids, page = [], {"has_more": True, "next_token": None}
    while page["has_more"]:
        query = {"limit": 100, **({"token": page["next_token"]} if page["next_token"] else {})}
        request = urllib.request.Request(
            f"{BASE}/v3/webhooks/endpoints?{urllib.parse.urlencode(query)}",
            headers={"X-Api-Key": os.environ["HEYGEN_API_KEY"]},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        ids += [endpoint["endpoint_id"] for endpoint in page["data"]]
    return ids


in_state = managed(json.load(sys.stdin))
print("\n".join(endpoint for endpoint in listed() if endpoint not in in_state))
