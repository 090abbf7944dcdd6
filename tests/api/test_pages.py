"""Every page, in both languages, for whoever may open it: nothing inline, nothing from elsewhere, no address that leads nowhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from api_world import PAGE, ROLES, Site
from test_matrix import BY_TOKEN, OPERATIONS, asked

from api.app import every_route
from config.settings import Settings
from config.words import LANGUAGES

pytestmark = pytest.mark.parametrize("database", ["sqlite"])
PAGES = {route.path for route in every_route() if route.method == "GET" and route.page}
ADDRESSES = {"src", "href", "action", "formaction", "poster"}


class Page(HTMLParser):
    """What a strict content security policy would refuse, and where the page leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.addresses: set[str] = set()
        self.assets: set[str] = set()
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "html":
            self.language = known.get("lang") or ""
        if tag == "style" or (tag == "script" and "src" not in known and known.get("type") != "application/json"):
            self.refused.append(f"<{tag}>")
        self.refused += [f"{name} of {tag}" for name in known if name == "style" or name.startswith("on")]
        for name in ADDRESSES & known.keys():
            address = known[name] or ""
            if "//" in address.split("?")[0] or address.startswith("javascript:"):
                self.refused.append(f"{tag} leads to {address}")
            (self.assets if address.startswith("/static/") else self.addresses).add(address.split("#")[0])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limit_scale": 1000, "demo": False})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_strict_in_both_languages(site: Site, language: str) -> None:
    opened: set[str] = set()
    assets: set[str] = set()
    for role in (*ROLES, "device", "nobody"):
        async with site.client(site.as_(role), **PAGE) as client:
            client.cookie_jar.update_cookies({"sanke_language": language})
            for path, method, operation in OPERATIONS:
                if method != "get" or path not in PAGES or path.startswith(BY_TOKEN):
                    continue
                address, query, _, _ = asked(path, operation, site.world.here)
                async with client.get(address, params=query, allow_redirects=False) as answer:
                    assert answer.status < 500, f"{role}: {path}"
                    if answer.status != 200:
                        continue
                    text = await answer.text()
                    assert "unsafe" not in answer.headers["Content-Security-Policy"]
                page = Page(text)
                assert not page.refused, f"{path}: {page.refused}"
                whole = text.lstrip().startswith("<!doctype html>")  # else a part of a page, fetched by its script
                assert page.language == ({"zh_CN": "zh-CN", "en": "en"}[language] if whole else ""), path
                opened.add(path)
                assets |= page.assets
        if role == "nobody":
            async with site.client() as client:
                for address in assets:
                    async with client.get(address) as answer:
                        assert answer.status == 200, address
    assert PAGES - opened <= {"/", "/link/{token}"} | NEEDS_MORE


NEEDS_MORE = {"/planner", "/bureau"}
"""Lists that lead straight on where there is one county."""


async def test_links_on_pages_lead_somewhere(site: Site) -> None:
    for role in (*ROLES, "device"):
        async with site.client(site.as_(role), **PAGE) as client:
            seen: set[str] = set()
            waiting = ["/"]
            while waiting and len(seen) < 60:
                address = waiting.pop(0)
                if address in seen or not address.startswith("/") or "." in address.rsplit("/", 1)[-1]:
                    continue
                seen.add(address)
                async with client.get(address) as answer:
                    assert answer.status in (200, 405), f"{role}: {address} → {answer.status}"
                    if answer.content_type == "text/html":
                        waiting += sorted(Page(await answer.text()).addresses)
            assert len(seen) >= 2, role
