"""The OpenAPI 3.1 description of the local API, made from its table of routes, and a page of it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from folkmoot.api.routes import PREFIX, Route
from folkmoot.api.shapes import ErrorAnswer, EventShape, Health

_REF = "#/components/schemas/{name}"


def describe(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The whole description, ready for JSON."""
    types: list[Any] = [Health, ErrorAnswer, EventShape]
    for route in routes:
        types += [one for one in (route.reply, route.body) if one is not None]
    distinct = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(distinct, ref_template=_REF)
    schema_of = dict(zip(distinct, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schema_of)
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = operation
    paths["/health"] = {"get": _open("Whether the node works", schema_of[Health])}
    paths[PREFIX + "/events"] = {"get": _events()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Folkmoot local API",
            "version": version,
            "description": "Served on this computer only. Times are RFC 3339 in UTC.",
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operation(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if route.reply is not None:
        done["content"] = _json(schema_of[route.reply])
    more = "".join(f" With “{name}” also “{scope}”." for name, scope in route.more_scopes)
    operation: dict[str, Any] = {
        "summary": route.summary,
        "description": f"Needs the scope “{route.scope}”.{more}",
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {
            str(route.status): done,
            "default": {"description": "Refused", "content": _json(schema_of[ErrorAnswer])},
        },
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(schema_of[route.body])}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(names: Sequence[str]) -> list[dict[str, Any]]:
    kinds = {"limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}}
    return [
        {"name": name, "in": "query", "schema": kinds.get(name, {"type": "string"})}
        for name in names
    ]


def _open(summary: str, schema: Any) -> dict[str, Any]:
    answered = {"200": {"description": "Done", "content": _json(schema)}}
    return {"summary": summary, "security": [], "responses": answered}


def _events() -> dict[str, Any]:
    return {
        "summary": "Events as they happen (WebSocket)",
        "description": "Token in the header, or as the first frame: "
        '{"token": …, "cursor": … or null}. Each text frame is one EventShape. After “gap” the '
        "socket is closed: read the state anew and connect without a cursor.",
        "parameters": _query_parameters(("cursor",)),
        "responses": {"101": {"description": "WebSocket"}},
    }


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def docs_page(routes: Sequence[Route], version: str) -> str:
    """A plain page that lists the routes; it loads nothing and tells nothing of the profile."""
    rows = "".join(
        f"<tr><td>{route.method}</td><td><code>{html.escape(PREFIX + route.path)}</code></td>"
        f"<td>{html.escape(route.scope)}</td><td>{html.escape(route.summary)}</td></tr>"
        for route in routes
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Folkmoot local API</title>"
        "<style>body{font:15px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;"
        "padding:0 1rem;color:#22211f}td{padding:.25rem 1rem .25rem 0;vertical-align:top}"
        "code{font-size:14px}</style>"
        f"<h1>Folkmoot local API</h1><p>Version {html.escape(version)}. The whole description is "
        "at <code>/openapi.json</code>. Every request but this page, that one and "
        "<code>/health</code> carries <code>Authorization: Bearer TOKEN</code>; "
        "<code>folkmoot token</code> makes one.</p>"
        f"<table>{rows}<tr><td>GET</td><td><code>{PREFIX}/events</code></td><td>read</td>"
        "<td>Events as they happen (WebSocket)</td></tr></table></html>"
    )
