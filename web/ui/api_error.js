/** A refusal of the API in its own words (docs/errors.md), or the reason why the API was not reached. */

export class ApiError extends Error {
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.status = more.status ?? 0;
    this.fix = more.fix ?? "";
    this.fixCommand = more.fixCommand ?? "";
    this.helpUrl = more.helpUrl ?? "";
    this.details = more.details ?? [];
    this.retryable = more.retryable ?? false;
    /** Seconds, or null. */
    this.retryAfter = more.retryAfter ?? null;
    this.correlationId = more.correlationId ?? "";
    /** The claims challenge (JSON) for the sign-in, or null. */
    this.claims = more.claims ?? null;
  }

  static unreachable() {
    return new ApiError("Unreachable", "The service could not be reached.", {
      fix: "Check your network; it is safe to try again.",
      retryable: true,
    });
  }

  static signInRequired(claims = null) {
    return new ApiError("SignInRequired", claims ? "Your organization asks for a stronger sign-in for this." : "Your sign-in has expired.", {
      fix: "Sign in again; you come back to this place.",
      claims,
    });
  }

  /** The service demands the same sign-in again right after it was done; repeating it would not help. */
  static stepUpInVain() {
    return new ApiError("StepUpInVain", "You signed in as your organization asks, and it asks for the same again.", {
      fix: "Ask your administrator which sign-in this needs, or sign out and use another account.",
    });
  }

  /** Makes an error from the envelope; `body` may be anything if a proxy answered. */
  static from(status, headers, body) {
    const error = body?.error ?? {};
    const inner = error.innererror ?? {};
    const plain = hostAnswer(status);
    return new ApiError(error.code ?? plain.code, error.message ?? plain.message, {
      status,
      ...inner,
      fix: inner.fix ?? plain.fix,
      details: error.details ?? [],
      retryable: inner.retryable ?? (!error.code && (status === 429 || status >= 500)),
      retryAfter: inner.retryAfterSeconds ?? secondsOf(headers.get("Retry-After")),
      correlationId: inner.correlationId ?? headers.get("x-ms-correlation-request-id"),
      claims: readClaims(headers.get("WWW-Authenticate")),
    });
  }
}

/** Describes an answer without the envelope: one of the host or the front end (docs/errors.md). */
function hostAnswer(status) {
  const again = "This is on our side; try again shortly.";
  if (status === 404) return { code: "NotFound", message: "There is nothing at this address.", fix: "Reload the page: it may be older than the service." };
  if (status === 429) return { code: "ServiceBusy", message: "The service has more to do than it can take.", fix: "Try again in a moment." };
  if (status === 500) return { code: "InternalError", message: "The service failed.", fix: again };
  if (status > 500) return { code: "Unreachable", message: "The service does not answer.", fix: again };
  return { code: `Http${status}`, message: `The service answered with status ${status}.`, fix: "" };
}

const secondsOf = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

/** Returns the claims challenge of a 401: base64 JSON in `claims="..."`, or plain JSON. Null if there is none. */
export function readClaims(header) {
  const quoted = /\bclaims="((?:[^"\\]|\\.)*)"/.exec(header ?? "")?.[1];
  if (!quoted) return null;
  const plain = quoted.replace(/\\(.)/g, "$1");
  if (plain.startsWith("{")) return plain;
  try {
    return atob(plain.replace(/-/g, "+").replace(/_/g, "/"));
  } catch {
    return null;
  }
}
