"""The functions that the real host was asked for when it was watched: see as_seen.json."""

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
ALL = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def told(req: func.HttpRequest, name: str) -> func.HttpResponse:
    body = req.get_body()
    said = {
        "function": name,
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": {"bytes": len(body), "latin1": body[:300].decode("latin-1")} if body else None,
    }
    return func.HttpResponse(json.dumps(said), mimetype="application/json", headers={"X-Echo": "1"})


@app.route(route="echo", methods=ALL)
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answers as its query says: status, raw (body), size (so many x), type (content type), h (NAME=VALUE), fail."""
    query = req.params
    if "fail" in query:
        raise ValueError("as asked")
    if "raw" not in query and "size" not in query:
        return told(req, "echo")
    headers = {"X-Echo": "1", "Content-Type": query.get("type", "application/json")}
    name, _, value = query.get("h", "").partition("=")
    if name:
        headers[name] = value
    body = query["raw"] if "raw" in query else "x" * int(query["size"])
    answer = func.HttpResponse(body, headers=headers)
    answer._HttpResponse__status_code = query.get("status", "200")  # type: ignore[attr-defined]  # also what is none
    return answer


def add(name: str, route: str | None = None, methods: list[str] | None = None, **options: func.AuthLevel) -> None:
    async def function(req: func.HttpRequest) -> func.HttpResponse:
        return told(req, name)

    function.__name__ = name
    app.route(route=route, methods=methods, **options)(function)  # type: ignore[arg-type]  # None: the function's name


add("getonly", methods=["GET"])
add("postonly", methods=["POST"])
add("anymethod")
add("param", "p/{a}/q/{b}", ALL)
add("rest", "rest/{*rest}", ALL)
add("int", "t/{n:int}", ALL)
add("guid", "g/{id:guid}", ALL)
add("regex", "r/{x:regex(^[a-z]+$)}", ALL)
add("opt", "o/{a?}", ALL)
add("defaulted", "d/{a=five}", ALL)
add("complex", "s/{a}.json", ALL)
add("keyed", auth_level=func.AuthLevel.FUNCTION)
add("same_a", "same/{x}", ["GET"])
add("same_b", "same/{x}", ["POST"])
add("z_literal", "lit/word", ["GET"])
add("a_param", "lit/{x}", ["GET"])
