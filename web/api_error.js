/** What the API refused, in its own words (docs/errors.md), or why it was not reached. */

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
    /** Claims challenge (JSON) to sign in with, or null. */
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

  /** The same was asked for right after it was done: another time would end in the same way. */
  static stepUpInVain() {
    return new ApiError("StepUpInVain", "You signed in as your organization asks, and it asks for the same again.", {
      fix: "Ask your administrator which sign-in this needs, or sign out and use another account.",
    });
  }

  /** From the error envelope; `body` may be anything when something in between answered. */
  static from(status, headers, body) {
    const error = body?.error ?? {};
    const inner = error.innererror ?? {};
    return new ApiError(error.code ?? `Http${status}`, error.message ?? `The service answered with status ${status}.`, {
      status,
      ...inner,
      fix: inner.fix ?? (status >= 500 ? "This is on our side; try again shortly." : ""),
      details: error.details ?? [],
      retryable: inner.retryable ?? (status === 429 || status >= 502),
      retryAfter: inner.retryAfterSeconds ?? secondsOf(headers.get("Retry-After")),
      correlationId: inner.correlationId ?? headers.get("x-ms-correlation-request-id"),
      claims: readClaims(headers.get("WWW-Authenticate")),
    });
  }
}

const secondsOf = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

/** The claims challenge of a 401: base64 JSON in `claims="..."`, or JSON as it is. Null when there is none. */
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
