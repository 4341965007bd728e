"""The webhook over HTTP: ``POST /validate/<use>`` takes an AdmissionReview and answers with one; ``GET /health``.

Follows Kubernetes, "Dynamic Admission Control" (admission.k8s.io/v1).

* One address for each use case; which namespaces are asked about which, the webhook's configuration says.
* What cannot be judged is answered with a no that says why; what is no review, with 400, which the API server takes as
  its ``failurePolicy`` says. So that must be ``Fail``.
* A dry run is answered like any other: deciding leaves no trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from watchword.errors import WatchwordError
from watchword.limits import KUBERNETES_REVIEW_BYTES_MAX
from watchword.observe import steps
from watchword.web.kubernetes.papers import Papers
from watchword.web.kubernetes.review import BadReview, answer, read
from watchword.web.routes import Route


def app(papers: Papers, use_cases: Mapping[str, dict[str, Any]]) -> Starlette:
    """The routes; *use_cases* by their names."""

    def decided(body: bytes, use_case: dict[str, Any]) -> dict[str, Any]:
        try:
            review = read(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise BadReview("not JSON") from error
        if review.why:
            return answer(review, [review.why])
        try:
            reasons = [papers.why_not(image, use_case) for image in review.images]
        except (WatchwordError, OSError) as error:
            steps.trouble(error)
            return answer(review, ["its papers cannot be read; the operator of this webhook has been told"])
        return answer(review, [why for why in reasons if why])

    async def validate(request: Request) -> Response:
        use_case = use_cases.get(str(request.path_params["use"]))
        if use_case is None:
            return JSONResponse({"error": "no use case of this name is judged here"}, 404)
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > KUBERNETES_REVIEW_BYTES_MAX:
                return JSONResponse({"error": f"more than {KUBERNETES_REVIEW_BYTES_MAX:,} bytes"}, 413)
            parts.append(part)
        try:
            return JSONResponse(await run_in_threadpool(decided, b"".join(parts), use_case))
        except BadReview as error:
            return JSONResponse({"error": error.message}, 400)

    async def health(request: Request) -> Response:
        try:
            await run_in_threadpool(papers.read)
        except WatchwordError as error:
            steps.trouble(error)
            return PlainTextResponse("its papers cannot be read\n", 503)
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/validate/{use}", validate, methods=["POST"]), Route("/health", health)])
